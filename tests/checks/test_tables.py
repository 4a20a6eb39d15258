"""agentsql.E006: two models, one table."""

import pytest
from django.core.checks import Error
from django.core.checks.model_checks import check_all_models
from django.db import models
from django.test import override_settings

from agentsql.checks import check_project

LONG = "a" * 63


def pair(project, first, second, *, labels=("blog", "wiki")):
    for label, table in zip(labels, (first, second), strict=True):
        project.model(label, "Thing", db_table=table)


def test_names_that_are_one_after_63_bytes(project):
    pair(project, f"{LONG}_one", f"{LONG}_two")
    assert check_project() == [
        Error(
            f"blog.Thing ({LONG}_one) and wiki.Thing ({LONG}_two) are one table to PostgreSQL: {LONG}.",
            hint="PostgreSQL keeps 63 bytes of a name, without the quotes around it: set another db_table on one of "
            "them.",
            obj=project.apps.get_model("wiki.Thing"),
            id="agentsql.E006",
        )
    ]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ('ai"."log', '"ai"."log"', ["agentsql.E006"]),
        ("log", '"log"', ["agentsql.E006"]),
        ("é" * 32, "é" * 31 + "è", ["agentsql.E006"]),
        ("log", "Log", []),
        ("log", 'ai"."log', []),
        (LONG, "a" * 62, []),
        ("log", "log", []),
    ],
    ids=["schema spelling", "quotes", "bytes", "case", "another schema", "shorter", "Django tells of this one"],
)
def test_spellings(project, first, second, expected):
    pair(project, first, second)
    assert [message.id for message in check_project()] == expected


def test_django_says_nothing_of_them(project):
    pair(project, "log", '"log"')
    configs = [project.config("blog"), project.config("wiki")]
    assert [message for message in check_all_models(configs) if message.id in {"models.E028", "models.W035"}] == []


def test_automatic_many_to_many_tables_count(project):
    project.model("wiki", "Tag")
    project.model("wiki", "Page", fields={"tags": models.ManyToManyField("wiki.Tag", db_table=f"{LONG}_tags")})
    project.model("blog", "Post", db_table=f"{LONG}_posts")
    [found] = check_project()
    assert (found.id, found.obj) == ("agentsql.E006", project.apps.get_model("wiki.Page").tags.through)


@pytest.mark.parametrize(
    ("labels", "expected"), [(("shop", "blog"), ["agentsql.E006"]), (("shop", "shop2"), [])], ids=["one", "none"]
)
def test_one_of_them_is_a_plugins(project, labels, expected):
    project.migrations("shop", "0001_initial")
    project.model(labels[0], "Thing", db_table="log")
    project.model("shop" if labels[1] == "shop2" else labels[1], "Other", db_table='"log"')
    assert [message.id for message in check_project()] == expected


@pytest.mark.parametrize(("alias", "expected"), [("other", []), ("default", ["agentsql.E006"])])
def test_only_where_both_are_on_one_database(project, only_on, second_database, alias, expected):
    pair(project, "log", '"log"')
    second_database()
    routers = [only_on("blog", "default"), only_on("wiki", alias)]
    with override_settings(DATABASE_ROUTERS=routers):
        assert [message.id for message in check_project()] == expected


def test_told_once_for_all_databases(project, second_database):
    pair(project, "log", '"log"')
    second_database()
    assert [message.id for message in check_project()] == ["agentsql.E006"]
