"""settings.AGENTSQL to a frozen value."""

from dataclasses import FrozenInstanceError

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from agentsql import conf
from agentsql.conf import Settings

TIMES = "LOCK_TIMEOUT, LOCK_WAIT, BUILD_WAIT, RUN_WAIT"
KNOWN = f"Known keys: PLUGINS, RUN_WITH_MIGRATE, RENAME_GUESS, {TIMES}, EMBEDDER, ADMIN_APPLY."


def test_defaults():
    assert conf.load() == Settings(plugins=(), lock_timeout=2.0, lock_wait=60.0, build_wait=3600.0, run_wait=600.0)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, Settings()),
        ({"PLUGINS": ["blog", "shop"]}, Settings(plugins=("blog", "shop"))),
        ({"PLUGINS": ("blog",)}, Settings(plugins=("blog",))),
        ({"PLUGINS": {"blog"}}, Settings(plugins=("blog",))),
        ({"PLUGINS": []}, Settings()),
        ({"LOCK_TIMEOUT": 5}, Settings(lock_timeout=5.0)),
        ({"LOCK_TIMEOUT": 0.25, "LOCK_WAIT": 1.5}, Settings(lock_timeout=0.25, lock_wait=1.5)),
        ({"BUILD_WAIT": 60, "RUN_WAIT": 0.5}, Settings(build_wait=60.0, run_wait=0.5)),
        ({"RUN_WITH_MIGRATE": False}, Settings(run_with_migrate=False)),
        ({"RENAME_GUESS": False}, Settings(rename_guess=False)),
        ({"ADMIN_APPLY": True}, Settings(admin_apply=True)),
    ],
    ids=[
        "empty",
        "list",
        "tuple",
        "set",
        "no plugins",
        "integer",
        "for locks",
        "for others",
        "apart from migrate",
        "no guess",
        "from the admin",
    ],
)
def test_what_is_accepted(raw, expected):
    with override_settings(AGENTSQL=raw):
        assert conf.load() == expected


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (None, 'AGENTSQL is a NoneType. Make it a dict: AGENTSQL = {"PLUGINS": [...]}.'),
        (["blog"], 'AGENTSQL is a list. Make it a dict: AGENTSQL = {"PLUGINS": [...]}.'),
        ({"PLUGIN": []}, "AGENTSQL has the unknown key 'PLUGIN'. Did you mean 'PLUGINS'?"),
        ({"plugins": []}, "AGENTSQL has the unknown key 'plugins'. Did you mean 'PLUGINS'?"),
        ({"LOCKTIMEOUT": 1}, "AGENTSQL has the unknown key 'LOCKTIMEOUT'. Did you mean 'LOCK_TIMEOUT'?"),
        ({"RUN_MIGRATE": 1}, "AGENTSQL has the unknown key 'RUN_MIGRATE'. Did you mean 'RUN_WITH_MIGRATE'?"),
        ({"X": 1}, f"AGENTSQL has the unknown key 'X'. {KNOWN}"),
        ({7: 1}, f"AGENTSQL has the unknown key 7. {KNOWN}"),
        ({"PLUGINS": "blog"}, "AGENTSQL[\"PLUGINS\"] is 'blog'. Make it a list of app labels."),
        ({"PLUGINS": [1]}, 'AGENTSQL["PLUGINS"] is [1]. Make it a list of app labels.'),
        ({"PLUGINS": None}, 'AGENTSQL["PLUGINS"] is None. Make it a list of app labels.'),
        ({"RUN_WITH_MIGRATE": 1}, 'AGENTSQL["RUN_WITH_MIGRATE"] is 1. Make it True or False.'),
        ({"RUN_WITH_MIGRATE": None}, 'AGENTSQL["RUN_WITH_MIGRATE"] is None. Make it True or False.'),
        ({"RENAME_GUESS": "no"}, "AGENTSQL[\"RENAME_GUESS\"] is 'no'. Make it True or False."),
        ({"ADMIN_APPLY": "yes"}, "AGENTSQL[\"ADMIN_APPLY\"] is 'yes'. Make it True or False."),
        ({"LOCK_TIMEOUT": 0}, 'AGENTSQL["LOCK_TIMEOUT"] is 0. Make it a positive number of seconds.'),
        ({"LOCK_TIMEOUT": -1}, 'AGENTSQL["LOCK_TIMEOUT"] is -1. Make it a positive number of seconds.'),
        ({"LOCK_WAIT": "600"}, "AGENTSQL[\"LOCK_WAIT\"] is '600'. Make it a positive number of seconds."),
        ({"LOCK_WAIT": True}, 'AGENTSQL["LOCK_WAIT"] is True. Make it a positive number of seconds.'),
        ({"LOCK_WAIT": None}, 'AGENTSQL["LOCK_WAIT"] is None. Make it a positive number of seconds.'),
        ({"BUILD_WAIT": 0}, 'AGENTSQL["BUILD_WAIT"] is 0. Make it a positive number of seconds.'),
        ({"RUN_WAIT": "60"}, "AGENTSQL[\"RUN_WAIT\"] is '60'. Make it a positive number of seconds."),
    ],
)
def test_what_is_refused(raw, message):
    with override_settings(AGENTSQL=raw), pytest.raises(ImproperlyConfigured) as caught:
        conf.load()
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_a_time_is_a_finite_number(value):
    with override_settings(AGENTSQL={"LOCK_TIMEOUT": value}), pytest.raises(ImproperlyConfigured, match="positive"):
        conf.load()


def test_everything_wrong_is_told_at_once():
    told = list(conf.problems({"X": 1, "PLUGINS": "blog", "LOCK_WAIT": 0, "RUN_WAIT": 5}))
    assert [message for message, _ in told] == [
        "AGENTSQL has the unknown key 'X'.",
        "AGENTSQL[\"PLUGINS\"] is 'blog'.",
        'AGENTSQL["LOCK_WAIT"] is 0.',
    ]


def test_settings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        conf.load().lock_wait = 1.0
