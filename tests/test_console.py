"""A run as it happens: lines, a bar on a terminal, and what it waits for on stderr."""

import io

import pytest
from django.core.management.base import OutputWrapper
from django.core.management.color import no_style

from agentsql.console import CLEAR, Console
from agentsql.renderers import text_progress
from agentsql.report import EVERY, TROUBLE, Failure, Notice, Progress, Result
from tests.support import column, index, outcome, step

INDEX = step(index("i", "at").key, name="i")
BODY = step(column().key, name="body")
NOTICE = Notice(text="index logs(i) waits for backend 7")
DONE = outcome(of=INDEX, seconds=0.5)
FAILED = outcome(Result.FAILED, of=BODY, failure=Failure(message="no", hint="Mend it."))
DONE_TEXT = f"plug\n  logs\n{'    + index i':66}OK 0.500 s\n"


def progress(seconds, done=1):
    return Progress(step=INDEX, doing="building", done=done, total=4, seconds=seconds)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(*events, terminal=False, verbosity=1, steps=EVERY):
    """Return what events put on stdout and stderr."""
    out, err = io.StringIO(), Terminal() if terminal else io.StringIO()
    console = Console(OutputWrapper(out), OutputWrapper(err), no_style(), verbosity, steps=steps)
    for event in events:
        console.tell(event)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_outcomes_are_lines_and_notices_go_elsewhere(terminal):
    assert told(NOTICE, DONE, terminal=terminal) == (DONE_TEXT, f"{NOTICE.text}\n")


def test_a_heading_is_shown_once():
    out, _ = told(DONE, outcome(of=BODY))
    assert out == f"{DONE_TEXT}{'    + column body':66}OK 0.000 s\n"


@pytest.mark.parametrize(("steps", "shown"), [((), []), (TROUBLE, [FAILED]), (EVERY, [DONE, FAILED])])
def test_which_steps_are_shown(steps, shown):
    out, _ = told(DONE, FAILED, steps=steps)
    assert out.count("OK") + out.count("FAILED") == len(shown)


@pytest.mark.parametrize("verbosity", [0, 1])
def test_notices_are_always_shown(verbosity):
    assert told(NOTICE, verbosity=verbosity, steps=())[1] == f"{NOTICE.text}\n"


def test_a_bar_on_a_terminal_is_drawn_over():
    first, second = progress(1.2), progress(1.5, done=2)
    out, err = told(first, second, DONE, terminal=True)
    assert out == DONE_TEXT
    assert err == f"{CLEAR}{text_progress(first)}{CLEAR}{text_progress(second)}{CLEAR}"


def test_a_notice_clears_the_bar_first():
    _, err = told(progress(1.2), NOTICE, terminal=True)
    assert err == f"{CLEAR}{text_progress(progress(1.2))}{CLEAR}{NOTICE.text}\n"


def test_without_a_bar_there_is_nothing_to_clear():
    assert CLEAR not in told(DONE, NOTICE, FAILED, terminal=True)[1]


def test_plain_lines_elsewhere_and_not_too_many():
    ticks = [progress(second) for second in (1, 5, 9.9, 10, 11, 19, 20.1, 21, 30.2)]
    out, err = told(*ticks)
    assert out.splitlines() == [text_progress(progress(second)) for second in (10, 20.1, 30.2)]
    assert err == ""


def test_the_next_step_has_lines_of_its_own():
    out, _ = told(progress(25), DONE, progress(10))
    assert out == f"{text_progress(progress(25))}\n{DONE_TEXT}{text_progress(progress(10))}\n"


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("options", [{"verbosity": 0}, {"steps": False}], ids=["quiet", "another format"])
def test_no_progress_where_steps_are_not_shown(options, terminal):
    assert told(progress(100), terminal=terminal, **options) == ("", "")


def test_other_formats_own_stdout():
    assert told(DONE, FAILED, steps=()) == ("", "")


class Left(io.StringIO):
    def write(self, _):
        raise BrokenPipeError


def test_a_reader_that_has_left_does_not_stop_the_run(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    console = Console(OutputWrapper(Left()), OutputWrapper(io.StringIO()), no_style(), 1, steps=EVERY)
    console.tell(DONE)
    console.tell(FAILED)
