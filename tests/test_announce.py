"""schema_applied: who is told, of what, and what becomes of a receiver that fails."""

import pytest
from django.apps import apps

from agentsql.announce import announce
from agentsql.discover import Plugin
from agentsql.signals import schema_applied
from tests.support import report

CORE = apps.get_app_config("core_tables")
HERE = Plugin(label="core_tables", models=(object,))
ELSEWHERE = Plugin(label="core_tables", models=())
DONE = report()


@pytest.fixture
def heard():
    """Listen to core_tables, and return what is heard."""
    calls = []

    def receiver(**facts):
        calls.append(facts)

    schema_applied.connect(receiver, sender=CORE)
    yield calls
    schema_applied.disconnect(receiver, sender=CORE)


def test_a_plugin_is_told_with_its_report(heard):
    assert list(announce([HERE], "default", DONE)) == []
    assert heard == [{"signal": schema_applied, "sender": CORE, "using": "default", "report": DONE}]


def test_a_plugin_without_models_on_the_database_is_not_told(heard):
    assert list(announce([ELSEWHERE], "default", DONE)) == []
    assert heard == []


def test_a_receiver_that_fails_is_named_and_keeps_nobody_from_hearing(heard):
    def fails(**_):
        raise LookupError("no such shelf")

    schema_applied.connect(fails, sender=CORE)
    (finding,) = announce([HERE], "default", None)
    schema_applied.disconnect(fails, sender=CORE)
    assert (finding.id, finding.obj) == ("agentsql.D021", "core_tables")
    assert "fails() of tests.test_announce, which listens to schema_applied of core_tables, failed" in finding.msg
    assert "LookupError: no such shelf" in finding.msg
    assert [call["report"] for call in heard] == [None]


def test_a_receiver_that_fails_leaves_no_traceback_between_the_lines(caplog):
    def fails(**_):
        raise LookupError("no such shelf")

    schema_applied.connect(fails, sender=CORE)
    with caplog.at_level("DEBUG"):
        list(announce([HERE], "default", None))
    schema_applied.disconnect(fails, sender=CORE)
    (record,) = caplog.records
    assert (record.name, record.levelname, record.exc_info[0]) == ("agentsql", "DEBUG", LookupError)
