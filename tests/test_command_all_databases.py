"""manage.py automigrate --all-databases: each in turn, and one that can't be used keeps nothing from the others."""

import json
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from agentsql.exceptions import DatabaseUnavailable, UnknownPlugin
from agentsql.management.commands import automigrate as command
from agentsql.report import Report, Result
from tests.support import outcome, report, step, table

TABLE = step(table().key)
DONE = report(outcome(of=TABLE, seconds=0.1), alias="default")
NOTHING = report(alias="agents")
PLAN = report(outcome(Result.PENDING, of=TABLE), alias="agents", remaining=1)
STOPPED = report(outcome(Result.STOPPED, of=TABLE), remaining=1)
DOWN = DatabaseUnavailable("Can't connect.")
LINE = "The database 'metrics' is SQLite: left alone.\n"


class Databases(dict):
    @property
    def settings(self):
        return {alias: {"NAME": f"{alias}_db"} for alias in self}

    def __getitem__(self, alias):
        vendor, name = ("sqlite", "SQLite") if alias == "metrics" else ("postgresql", "PostgreSQL")
        return SimpleNamespace(vendor=vendor, display_name=name)


@pytest.fixture
def automigrate(monkeypatch):
    """Run the command where each alias, but for the SQLite one, ends in a report or an error."""

    def automigrate(*arguments, **ends):
        asked = []

        def run(*, using, tell, **options):
            asked.append(using)
            if isinstance(ends[using], Exception):
                raise ends[using]
            for item in ends[using].outcomes if not options["plan_only"] else ():
                tell(item)
            return ends[using]

        monkeypatch.setattr(command, "run", run)
        monkeypatch.setattr(command, "connections", Databases.fromkeys([*ends, "metrics"]))
        out, err, error = StringIO(), StringIO(), None
        try:
            call_command("automigrate", "--all-databases", *arguments, stdout=out, stderr=err, no_color=True)
        except CommandError as caught:
            error = (str(caught), caught.returncode)
        return SimpleNamespace(out=out.getvalue(), err=err.getvalue(), error=error, asked=asked)

    return automigrate


def test_each_in_turn(automigrate):
    done = automigrate(default=DONE, agents=NOTHING)
    assert (done.asked, done.error, done.err) == (["default", "agents"], None, LINE)
    assert [line for line in done.out.splitlines() if line.startswith("Database")] == [
        "Database 'default':",
        "Database 'agents':",
    ]
    assert "1 table in 0.50 s." in done.out
    assert "Nothing to do" in done.out


def test_quiet(automigrate):
    done = automigrate("-v0", default=DONE, agents=NOTHING)
    assert (done.out, done.err, done.error) == ("", "", None)


@pytest.mark.parametrize("arguments", [[], ["-v0"], ["--plan"], ["--check"]], ids=" ".join)
def test_one_that_can_not_be_used(automigrate, arguments):
    done = automigrate(*arguments, default=DOWN, agents=NOTHING)
    assert done.asked == ["default", "agents"]
    assert done.error == ("Part of the schema could not be made; see the findings.", 1)
    assert "Database 'default':\n" in done.out
    assert "(agentsql.D022) Nothing could be done on the database 'default': Can't connect." in done.out


def test_what_is_wrong_everywhere_is_told_once(automigrate):
    done = automigrate("nonsense", default=UnknownPlugin("No such app."), agents=NOTHING)
    assert (done.asked, done.error) == (["default"], ("No such app.", 1))


def test_ctrl_c_ends_all(automigrate):
    done = automigrate(default=STOPPED, agents=NOTHING)
    assert (done.asked, done.error[1]) == (["default"], 130)


def test_json_is_one_array(automigrate):
    done = automigrate("--format=json", "--plan", default=DOWN, agents=PLAN)
    found = json.loads(done.out)
    assert [(one["alias"], one["status"]) for one in found] == [("default", "blocked"), ("agents", "pending")]
    assert (found[0]["database"], found[0]["findings"][0]["id"]) == ("default_db", "agentsql.D022")
    assert done.error[1] == 1


def test_sql_names_its_database(automigrate):
    done = automigrate("--format=sql", "--plan", agents=PLAN, default=report())
    assert done.out == "-- database agents\nSELECT 1;\n-- database default\n"
    assert done.error is None


def test_no_postgresql_at_all(automigrate):
    done = automigrate()
    assert (done.out, done.err, done.error) == ("", LINE, None)


def test_one_or_all():
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("automigrate", "--all-databases", "--database=default")


def test_a_report_that_was_not_looked_at_is_no_printed_plan():
    assert Report(database="x", plugins=(), findings=(), looked=False, remaining=1).exit_code(planned=True) == 1
    assert Report(database="x", plugins=(), findings=(), remaining=1).exit_code(planned=True) == 0
