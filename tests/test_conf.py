"""settings.AGENTSQL to a frozen value."""

from dataclasses import FrozenInstanceError

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from agentsql import conf
from agentsql.conf import Settings


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
    ],
    ids=["empty", "list", "tuple", "set", "no plugins", "integer", "for locks", "for others"],
)
def test_what_is_accepted(raw, expected):
    with override_settings(AGENTSQL=raw):
        assert conf.load() == expected


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (None, "AGENTSQL must be a dict, not NoneType."),
        (["blog"], "AGENTSQL must be a dict, not list."),
        ({"PLUGIN": []}, "AGENTSQL has the unknown key 'PLUGIN'; did you mean 'PLUGINS'?"),
        ({"plugins": []}, "AGENTSQL has the unknown key 'plugins'; did you mean 'PLUGINS'?"),
        ({"LOCKTIMEOUT": 1}, "AGENTSQL has the unknown key 'LOCKTIMEOUT'; did you mean 'LOCK_TIMEOUT'?"),
        (
            {"X": 1},
            "AGENTSQL has the unknown key 'X'; known keys: PLUGINS, LOCK_TIMEOUT, LOCK_WAIT, BUILD_WAIT, RUN_WAIT.",
        ),
        ({7: 1}, "AGENTSQL has the unknown key 7; known keys: PLUGINS, LOCK_TIMEOUT, LOCK_WAIT, BUILD_WAIT, RUN_WAIT."),
        ({"PLUGINS": "blog"}, 'AGENTSQL["PLUGINS"] must be a list of app labels.'),
        ({"PLUGINS": [1]}, 'AGENTSQL["PLUGINS"] must be a list of app labels.'),
        ({"PLUGINS": None}, 'AGENTSQL["PLUGINS"] must be a list of app labels.'),
        ({"LOCK_TIMEOUT": 0}, 'AGENTSQL["LOCK_TIMEOUT"] must be a positive number of seconds.'),
        ({"LOCK_TIMEOUT": -1}, 'AGENTSQL["LOCK_TIMEOUT"] must be a positive number of seconds.'),
        ({"LOCK_WAIT": "600"}, 'AGENTSQL["LOCK_WAIT"] must be a positive number of seconds.'),
        ({"LOCK_WAIT": True}, 'AGENTSQL["LOCK_WAIT"] must be a positive number of seconds.'),
        ({"LOCK_WAIT": None}, 'AGENTSQL["LOCK_WAIT"] must be a positive number of seconds.'),
        ({"BUILD_WAIT": 0}, 'AGENTSQL["BUILD_WAIT"] must be a positive number of seconds.'),
        ({"RUN_WAIT": "60"}, 'AGENTSQL["RUN_WAIT"] must be a positive number of seconds.'),
    ],
)
def test_what_is_refused(raw, message):
    with override_settings(AGENTSQL=raw), pytest.raises(ImproperlyConfigured) as caught:
        conf.load()
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_time_is_a_finite_number(value):
    with override_settings(AGENTSQL={"LOCK_TIMEOUT": value}), pytest.raises(ImproperlyConfigured, match="positive"):
        conf.load()


def test_settings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        conf.load().lock_wait = 1.0
