"""manage.py automigrate: what it says and how it exits, for reports that are given to it."""

from io import StringIO

import pytest
from django.core.checks import Error, Info, Warning  # noqa: A004 Django's name for it
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from agentsql.exceptions import AgentSQLError, LockUnavailable
from agentsql.management.commands import automigrate as command
from agentsql.report import Failure, Result
from tests.support import column, index, outcome, report, step, table

TABLE = step(table().key, column("id").key, sql=('CREATE TABLE "logs" ("id" bigint)',))
INDEX = step(index("i", "at").key, name="i", sql=('CREATE INDEX "i" ON "logs" ("at")',), lock="SHARE")
FAILED = outcome(Result.FAILED, of=INDEX, failure=Failure(message="no such column", hint="Add it."))
MADE = report(outcome(of=TABLE, seconds=0.1), outcome(of=INDEX, seconds=0.2))
TROUBLE = report(outcome(of=TABLE, seconds=0.1), FAILED, remaining=1)
BLOCKED = report(findings=(Error("Not yours.", obj="logs", id="agentsql.D010"),), remaining=2)
PLAN = report(outcome(Result.PENDING, of=TABLE), outcome(Result.PENDING, of=INDEX), remaining=3)
NOTHING = report(plugins=("a", "b"))

TABLE_LINE = f"{'    + table, 1 column':66}OK 0.100 s\n"
INDEX_LINE = f"{'    + index i':66}OK 0.200 s\n"
TABLE_SQL = '        CREATE TABLE "logs" ("id" bigint);\n'
INDEX_SQL = '        CREATE INDEX "i" ON "logs" ("at");\n'
NO_LOCK, LOCK = (f"        lock: {lock}; transaction: shared\n" for lock in ("none", "SHARE"))
TAIL = "1 table, 1 column, 1 index in 0.50 s.\n"
FAILURE = (
    f'{"    ! index i":66}FAILED\n      no such column\n      CREATE INDEX "i" ON "logs" ("at");\n      HINT: Add it.\n'
)


@pytest.fixture
def automigrate(monkeypatch):
    """Run the command on a report; return what it prints and the error it ends with."""

    def automigrate(result, *arguments):
        def run(*, tell, **options):
            automigrate.options = options
            if isinstance(result, BaseException):
                raise result
            for item in result.outcomes if not options["plan_only"] else ():
                tell(item)
            return result

        monkeypatch.setattr(command, "run", run)
        output, error = StringIO(), None
        try:
            call_command("automigrate", *arguments, stdout=output, no_color=True)
        except CommandError as caught:
            error = str(caught)
            automigrate.code = caught.returncode
        return output.getvalue(), error

    return automigrate


@pytest.mark.parametrize(
    ("verbosity", "printed"),
    [
        (0, ""),
        (1, f"plug\n  logs\n{TABLE_LINE}{INDEX_LINE}{TAIL}"),
        (
            2,
            f"plug\n  logs\n{TABLE_LINE}{TABLE_SQL}{INDEX_LINE}{INDEX_SQL}{TAIL}",
        ),
        (
            3,
            f"plug\n  logs\n{TABLE_LINE}{TABLE_SQL}{NO_LOCK}{INDEX_LINE}{INDEX_SQL}{LOCK}{TAIL}",
        ),
    ],
)
def test_a_run(automigrate, verbosity, printed):
    assert automigrate(MADE, f"-v{verbosity}") == (printed, None)


@pytest.mark.parametrize("verbosity", [0, 1])
def test_nothing_to_do(automigrate, verbosity):
    line = "Nothing to do: the schema holds all of 2 plugins' models.\n"
    assert automigrate(NOTHING, f"-v{verbosity}") == (line * verbosity, None)


TROUBLE_TAIL = "1 table, 1 column in 0.50 s; 1 of 2 steps did not succeed; 1 object still missing.\n"
WHY_FAILED = "Some steps failed; what does not depend on them was made."
WHY_BLOCKED = "Part of the schema could not be made; see the findings."
WHY_PENDING = "The schema is behind the models: run `manage.py automigrate`."


def test_a_run_that_fails(automigrate):
    printed = f"plug\n  logs\n{TABLE_LINE}{FAILURE}{TROUBLE_TAIL}"
    assert automigrate(TROUBLE) == (printed, WHY_FAILED)


def test_a_quiet_run_that_fails_still_says_where(automigrate):
    assert automigrate(TROUBLE, "-v0") == (f"plug\n  logs\n{FAILURE}{TROUBLE_TAIL}", WHY_FAILED)


@pytest.mark.parametrize("verbosity", [0, 1])
def test_a_run_that_is_blocked(automigrate, verbosity):
    printed = "2 objects still missing, in 0.50 s.\n1 finding: 1 error.\nlogs: (agentsql.D010) Not yours.\n"
    assert automigrate(BLOCKED, f"-v{verbosity}") == (printed, WHY_BLOCKED)


PLAN_TEXT = "plug\n  logs\n    + table, 1 column\n    + index i\nTo make: 1 table, 1 column, 1 index.\n"


@pytest.mark.parametrize(
    ("arguments", "error"), [(["--plan"], None), (["--check"], WHY_PENDING), (["--plan", "--check"], WHY_PENDING)]
)
def test_a_plan(automigrate, arguments, error):
    assert automigrate(PLAN, *arguments) == (PLAN_TEXT, error)
    assert automigrate.options["plan_only"] is True


@pytest.mark.parametrize(
    ("state", "error"),
    [(NOTHING, None), (MADE, None), (PLAN, WHY_PENDING), (BLOCKED, WHY_BLOCKED), (TROUBLE, WHY_FAILED)],
    ids=["nothing to do", "made", "behind", "blocked", "failed"],
)
@pytest.mark.parametrize("form", ["text", "json", "sql", "github"])
def test_errors(automigrate, form, state, error):
    """A plan that can be printed is a success; with --check only a schema that lacks nothing is."""
    errors = [automigrate(state, f"--format={form}", *more)[1] for more in ([], ["--plan"], ["--check"])]
    assert errors == [error, None, error]


DIFFERENT = report(findings=(Warning("w", obj="logs", id="agentsql.D101"), Info("i", obj="logs", id="agentsql.D110")))
WRONG = report(findings=(Error("e", obj="logs", id="agentsql.D106"),))
WHY_DIFFERENT = "The schema is complete, but differs from the models; see the findings."


@pytest.mark.parametrize(
    ("state", "arguments", "error"),
    [
        (DIFFERENT, [], None),
        (DIFFERENT, ["--check"], None),
        (DIFFERENT, ["--fail-level=error"], None),
        (DIFFERENT, ["--fail-level=warning"], WHY_DIFFERENT),
        (DIFFERENT, ["--plan", "--fail-level=info"], WHY_DIFFERENT),
        (WRONG, [], WHY_DIFFERENT),
        (WRONG, ["--plan"], None),
        (WRONG, ["--check", "--fail-level=error"], WHY_DIFFERENT),
        (PLAN, ["--check", "--fail-level=error"], WHY_PENDING),
        (PLAN, ["--plan", "--fail-level=error"], None),
    ],
)
@pytest.mark.parametrize("form", ["text", "github"])
def test_fail_level(automigrate, form, state, arguments, error):
    assert automigrate(state, f"--format={form}", *arguments)[1] == error


@pytest.mark.parametrize(
    ("name", "more"), [("agentsql.D004", " The findings tell what it can't make."), ("agentsql.D106", "")]
)
def test_only_what_is_refused_can_not_be_made(automigrate, name, more):
    behind = report(outcome(Result.PENDING, of=TABLE), findings=(Error("e", obj="logs", id=name),), remaining=2)
    assert automigrate(behind, "--check")[1] == WHY_PENDING + more


def test_what_fails_after_the_schema_is_no_difference(automigrate):
    receiver = Error("e", obj="plug", id="agentsql.D021")
    error = "The schema is complete, but something else failed; see the findings."
    assert automigrate(report(findings=(receiver,)))[1] == error
    assert automigrate(report(findings=(*DIFFERENT.findings, receiver)), "--fail-level=warning")[1] == error


@pytest.mark.parametrize(
    ("verbosity", "ids"), [(0, ["D101"]), (1, ["D101"]), (2, ["D101", "D110"])], ids=["-v0", "-v1", "-v2"]
)
@pytest.mark.parametrize("arguments", [[], ["--plan"]], ids=["run", "--plan"])
def test_information_is_for_who_asks(automigrate, arguments, verbosity, ids):
    printed, _ = automigrate(DIFFERENT, *arguments, f"-v{verbosity}")
    assert [line.partition("agentsql.")[2][:4] for line in printed.splitlines() if "(agentsql." in line] == ids


def test_a_quiet_run_does_not_tell_of_information(automigrate):
    assert automigrate(report(findings=DIFFERENT.findings[1:]), "-v0") == ("", None)


@pytest.mark.parametrize("form", ["json", "sql", "github"])
@pytest.mark.parametrize("verbosity", [0, 1, 3])
def test_other_formats_print_the_report_and_nothing_else(automigrate, form, verbosity):
    printed, _ = automigrate(DIFFERENT, f"--format={form}", f"-v{verbosity}")
    assert printed == command.FORMATS[form](DIFFERENT) + "\n"


def test_arguments(automigrate):
    default = {
        "using": "default",
        "plugins": [],
        "plan_only": False,
        "atomic": False,
        "allow_rewrite": False,
        "rename_guess": None,
        "widen": False,
        "zone": "",
        "lock_timeout": None,
        "lock_wait": None,
    }
    automigrate(NOTHING)
    assert automigrate.options == default
    automigrate(NOTHING, "blog", "shop", "--database=other", "--lock-timeout=0.5", "--lock-wait=90")
    times = {"lock_timeout": 0.5, "lock_wait": 90}
    assert automigrate.options == default | times | {"using": "other", "plugins": ["blog", "shop"]}
    automigrate(NOTHING, "--atomic", "--allow-rewrite")
    assert automigrate.options == default | {"atomic": True, "allow_rewrite": True}
    automigrate(NOTHING, "--no-rename-guess", "--widen", "--zone=Europe/Berlin")
    assert automigrate.options == default | {"rename_guess": False, "widen": True, "zone": "Europe/Berlin"}


@pytest.mark.parametrize("option", ["--lock-timeout", "--lock-wait"])
@pytest.mark.parametrize("value", ["0", "-1", "soon", "nan", "inf"])
def test_a_time_is_finite_and_above_0(automigrate, option, value):
    _, error = automigrate(NOTHING, f"{option}={value}")
    assert error == f"Error: argument {option}: {value} is not a number of seconds above 0"


def test_ctrl_c_within_a_run(automigrate):
    stopped = report(outcome(of=TABLE, seconds=0.1), outcome(Result.STOPPED, of=INDEX), remaining=1)
    printed, error = automigrate(stopped)
    assert printed == f"plug\n  logs\n{TABLE_LINE}{'    - index i':66}NOT MADE\n{TROUBLE_TAIL}"
    assert error == "Stopped by Ctrl-C; what was made stays, and automigrate makes the rest when run again."
    assert automigrate.code == 130


def test_ctrl_c_before_anything_ran(automigrate):
    error = "Interrupted; run automigrate again, it goes on from what there is."
    assert automigrate(KeyboardInterrupt()) == ("", error)
    assert automigrate.code == 130


@pytest.mark.parametrize("error", [AgentSQLError("No."), LockUnavailable(), ImproperlyConfigured("AGENTSQL ...")])
def test_errors_of_ours_are_one_line(automigrate, error):
    assert automigrate(error) == ("", str(error))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--format=sql"], "--explain is told as text or json."),
        (["--format=github"], "--explain is told as text or json."),
        (["--check"], "--explain only tells, of one database: leave out --all-databases, --check and --fail-level."),
        (
            ["--all-databases"],
            "--explain only tells, of one database: leave out --all-databases, --check and --fail-level.",
        ),
        (
            ["--fail-level=info"],
            "--explain only tells, of one database: leave out --all-databases, --check and --fail-level.",
        ),
    ],
)
def test_what_an_explanation_is_not_for(automigrate, arguments, error):
    assert automigrate(NOTHING, "--explain=logs", *arguments) == ("", error)
