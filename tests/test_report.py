"""What outcomes and findings add up to."""

import pytest
from django.core.checks import CheckMessage, Error, Info, Warning  # noqa: A004 Django's name for it

from agentsql.report import LEVELS, Failure, Result, Status, level, names
from agentsql.schema import Extension, Kind
from tests.support import column, constraint, index, outcome, report, step, table

DONE, PENDING, FAILED, SKIPPED = Result.DONE, Result.PENDING, Result.FAILED, Result.SKIPPED
STOPPED = Result.STOPPED
ERROR, WARNING, INFO = Error("e", id="x"), Warning("w", id="x"), Info("i", id="x")


@pytest.mark.parametrize(
    ("results", "findings", "remaining", "status"),
    [
        ([], [], 0, Status.CONVERGED),
        ([DONE, DONE], [], 0, Status.CONVERGED),
        ([DONE], [WARNING, INFO], 0, Status.CONVERGED),
        ([PENDING], [], 1, Status.PENDING),
        ([PENDING], [ERROR], 2, Status.PENDING),
        ([], [ERROR], 0, Status.BLOCKED),
        ([], [], 1, Status.BLOCKED),
        ([DONE], [ERROR], 0, Status.BLOCKED),
        ([DONE], [], 1, Status.BLOCKED),
        ([DONE, FAILED, SKIPPED], [], 2, Status.FAILED),
        ([FAILED], [ERROR], 0, Status.FAILED),
        ([FAILED, PENDING], [], 1, Status.FAILED),
        ([DONE, STOPPED], [], 1, Status.STOPPED),
        ([FAILED, SKIPPED, STOPPED], [ERROR], 1, Status.STOPPED),
    ],
)
def test_status(results, findings, remaining, status):
    outcomes = [outcome(result) for result in results]
    assert report(*outcomes, findings=tuple(findings), remaining=remaining).status is status


STATES = {
    Status.CONVERGED: report(outcome()),
    Status.PENDING: report(outcome(PENDING), remaining=1),
    Status.BLOCKED: report(findings=(ERROR,)),
    Status.FAILED: report(outcome(FAILED), remaining=1),
    Status.STOPPED: report(outcome(STOPPED), remaining=1),
}


@pytest.mark.parametrize("check", [False, True], ids=["", "--check"])
@pytest.mark.parametrize("planned", [False, True], ids=["run", "--plan"])
@pytest.mark.parametrize("status", Status)
def test_exit_code(status, planned, check):
    assert STATES[status].status is status
    code = STATES[status].exit_code(check=check, planned=planned)
    printed = planned and not check and status is not Status.STOPPED
    trouble = 130 if status is Status.STOPPED else 1
    assert code == (0 if status is Status.CONVERGED or printed else trouble)


@pytest.mark.parametrize(
    ("findings", "codes"),
    [
        ((), {"error": 0, "warning": 0, "info": 0}),
        ((INFO,), {"error": 0, "warning": 0, "info": 1}),
        ((INFO, WARNING), {"error": 0, "warning": 1, "info": 1}),
        ((WARNING, ERROR), {"error": 1, "warning": 1, "info": 1}),
    ],
    ids=["nothing", "information", "warning", "error"],
)
@pytest.mark.parametrize("planned", [False, True], ids=["run", "--plan"])
def test_fail_level(findings, codes, planned):
    found = report(findings=findings)
    assert {level: found.exit_code(planned=planned, fail_level=level) for level in LEVELS} == codes


def test_a_level_adds_to_what_fails_anyway():
    assert STATES[Status.PENDING].exit_code(check=True, planned=True, fail_level="error") == 1
    assert STATES[Status.PENDING].exit_code(planned=True, fail_level="info") == 0
    assert STATES[Status.STOPPED].exit_code(fail_level="info") == 130
    assert report(findings=(WARNING,)).exit_code(check=True, planned=True) == 0


@pytest.mark.parametrize(
    ("number", "name"), [(50, "error"), (40, "error"), (35, "warning"), (30, "warning"), (20, "info"), (10, "info")]
)
def test_level(number, name):
    assert level(CheckMessage(number, "m")) == name


@pytest.mark.parametrize(
    ("name", "there"),
    [("logs.n", True), ("logs", True), ("index logs(a, b)", True), ("logs.na", False), ("log", False), ("ogs", False)],
)
def test_names(name, there):
    assert names(Warning("The index logs(a, b) reads logs.n."), name) is there


def test_differences():
    """What a run does after the schema is another matter."""
    after = Warning("permissions", id="agentsql.D105"), Error("receiver", id="agentsql.D021")
    assert report(findings=(WARNING, *after, ERROR)).differences == (WARNING, ERROR)


def test_a_run_that_leaves_something_out_never_succeeds():
    assert {status: state.exit_code() for status, state in STATES.items()} == {
        Status.CONVERGED: 0,
        Status.PENDING: 1,
        Status.BLOCKED: 1,
        Status.FAILED: 1,
        Status.STOPPED: 130,
    }


def test_counts():
    """By kind, in the order of creation; only what was made, or would be."""
    made = step(table().key, column("id").key, column("body").key, constraint(Kind.PRIMARY_KEY, "id").key)
    found = report(
        outcome(of=step(index("i", "body").key)),
        outcome(of=made),
        outcome(PENDING, of=step(Extension(name="vector").key)),
        outcome(FAILED, of=step(constraint(Kind.CHECK, name="c").key), failure=Failure(message="no")),
        outcome(SKIPPED, of=step(column("later").key)),
    )
    assert list(found.counts.items()) == [
        ("extension", 1),
        ("table", 1),
        ("column", 2),
        ("primary key", 1),
        ("index", 1),
    ]


def test_counts_of_nothing():
    assert report().counts == {}


def test_words_that_other_programs_read():
    assert [str(result) for result in Result] == ["pending", "done", "failed", "skipped", "stopped"]
    assert [str(status) for status in Status] == ["converged", "pending", "blocked", "failed", "stopped"]
