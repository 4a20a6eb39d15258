"""agentsql.E001 and E002: the AGENTSQL setting."""

import pytest
from django.test import override_settings

from agentsql.checks import check_project


def told(messages):
    return [(message.id, message.msg, message.hint, message.obj) for message in messages]


def test_each_wrong_setting_is_told(project):
    with override_settings(AGENTSQL={"PLUGIN": [], "LOCK_WAIT": "soon", "PLUGINS": ["nobody"]}):
        found = check_project()
    assert [(message.id, message.obj, message.level) for message in found] == [("agentsql.E001", "AGENTSQL", 40)] * 2
    assert "'PLUGIN'" in found[0].msg
    assert "'PLUGINS'" in found[0].hint
    assert "LOCK_WAIT" in found[1].msg
    assert "seconds" in found[1].hint


@pytest.mark.parametrize(
    ("label", "hint"),
    [
        ("shpo", "Did you mean 'shop'?"),
        ("q", "There are: blog, shop, wiki."),
        ("tests.checks.conftest.ShopConfig", "That is the name of an app; write its label, 'shop'."),
    ],
    ids=["misspelt", "unknown", "the config's path"],
)
def test_labels_that_nobody_has(project, label, hint):
    with override_settings(AGENTSQL={"PLUGINS": [label, "shop"]}):
        found = check_project()
    words = f'AGENTSQL["PLUGINS"] names {label!r}, but no installed app has that label.'
    assert told(found) == [("agentsql.E002", words, hint, "AGENTSQL")]


def test_a_dotted_name_instead_of_its_label():
    with override_settings(AGENTSQL={"PLUGINS": ["django.contrib.auth"]}):
        found = check_project()
    assert [(message.id, message.hint) for message in found] == [
        ("agentsql.E002", "That is the name of an app; write its label, 'auth'.")
    ]


@pytest.mark.parametrize("wrong", [{"PLUGIN": []}, {"PLUGINS": "blog"}, {"PLUGINS": ["nobody"]}, 7])
def test_a_wrong_setting_keeps_the_other_checks_quiet(project, wrong):
    project.model("shop", "Order")
    project.migrations("blog", "0001_initial")
    with override_settings(AGENTSQL=wrong):
        assert {message.id for message in check_project()} <= {"agentsql.E001", "agentsql.E002"}


def test_right_settings_are_no_message(project):
    with override_settings(AGENTSQL={"PLUGINS": ["shop"], "LOCK_WAIT": 5}):
        assert check_project() == []
