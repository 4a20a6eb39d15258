"""The expressions and the arithmetic of tasks: slots, waits and errors as a row holds them.

Other programs write these rows too. Whatever they hold, nothing here makes PostgreSQL or Python raise: one bad row in
a statement of the workers would stop the work on all others.
"""

import datetime
import random
import traceback
from collections.abc import Callable
from typing import Any

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Least, Now

from core_tables.fields import EARLIEST, LATEST

BASE = datetime.timedelta(seconds=15)
CAP = datetime.timedelta(hours=1)
DOUBLINGS = 16  # enough to reach the cap from any base
ERROR_LENGTH = 10_000  # characters: the end of a traceback says most
PART_LENGTH = 3_000  # of these, a line of code or what was raised with its message, of which the beginning says most
CENTURY = datetime.timedelta(days=36_525)  # longer waits are cut: Python can't read a time after the year 9999
REPEATS = Q(every__gt=datetime.timedelta(0))
FIRST = f"GREATEST({EARLIEST}, LEAST(COALESCE(first_at, run_at), {LATEST}))"
# Seconds. A span above 0 in PostgreSQL's eyes may have none, or less: a year of 365.25 days less 366, for instance.
SPAN = "GREATEST(extract(epoch FROM LEAST(every, interval '8000 years')), 0.000001)"
PAST = f"(extract(epoch FROM statement_timestamp()) - extract(epoch FROM {FIRST}))"


class NextSlot(models.Func):
    """The first slot after now, counted from the first one: nothing drifts, and missed slots are left out."""

    template = f"LEAST({LATEST}, {FIRST} + make_interval(secs => {SPAN} * GREATEST(0, 1 + floor({PAST} / {SPAN}))))"
    output_field = models.DateTimeField()


class RanOut(models.Func):
    """What to tell of a task whose worker went away."""

    template = (
        "concat('The lease of attempt ', attempts, ' ran out: its worker (', COALESCE(worker, 'unnamed'), "
        "') was killed, hangs or lost the database.')"
    )
    output_field = models.TextField()


def backoff(attempts: int, *, chance: Callable[[], float] = random.random) -> datetime.timedelta:
    """Return how long to wait after so many attempts.

    Half of 15 s * 2 ** (attempts - 1), of which an hour is the most, and by chance up to as much again, so that
    what failed together is not tried again together. This is "equal jitter" of Marc Brooker's Exponential Backoff
    And Jitter (AWS Architecture Blog, 2015).
    """
    ceiling: datetime.timedelta = min(CAP, BASE * 2 ** max(0, min(attempts - 1, DOUBLINGS)))
    return ceiling / 2 * (1 + chance())


def described(error: BaseException | str) -> str:
    """Return an error as text that a column can hold: the end of its traceback, with long messages cut inside."""
    parts = [error] if isinstance(error, str) else traceback.format_exception(error)
    told = "".join(_shortened(part) for part in parts)
    return told.replace("\x00", "\ufffd").encode(errors="replace").decode().strip()[-ERROR_LENGTH:]


def _shortened(text: str) -> str:
    left = len(text) - PART_LENGTH
    tail = PART_LENGTH // 3
    return text if left <= 0 else f"{text[: PART_LENGTH - tail]} [{left:,} characters more] {text[-tail:]}"


def ago(span: datetime.timedelta) -> Any:
    return Now() - Value(span, models.DurationField())


def from_now(span: datetime.timedelta) -> Any:
    return Now() + Value(max(-CENTURY, min(span, CENTURY)), models.DurationField())


class Merged(models.Func):
    """`metadata` with more keys. What other programs write there in place of an object moves under a key of its own."""

    template = (
        "(CASE COALESCE(jsonb_typeof(metadata), 'null') WHEN 'object' THEN metadata WHEN 'null' THEN '{}' "
        "ELSE jsonb_build_object('metadata', metadata) END || %(expressions)s)"
    )
    output_field = models.JSONField()


def merged(changes: dict[str, Any]) -> Any:
    """Return `metadata` with more keys."""
    return Merged(Value(changes, models.JSONField()))


def one_more(column: str) -> Any:
    """Return a count with one added, as far as an integer goes."""
    return Least(F(column), Value(2**31 - 2)) + 1
