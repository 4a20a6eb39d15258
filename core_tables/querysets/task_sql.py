"""The expressions and the arithmetic of tasks: slots, waits and errors as a row holds them."""

import datetime
import random
import traceback
from collections.abc import Callable
from typing import Any

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Now

BASE = datetime.timedelta(seconds=15)
CAP = datetime.timedelta(hours=1)
DOUBLINGS = 16  # enough to reach the cap from any base
ERROR_LENGTH = 10_000  # characters: the end of a traceback says most
REPEATS = Q(every__gt=datetime.timedelta(0))


class NextSlot(models.Func):
    """The first slot after now, counted from the first one: nothing drifts, and missed slots are left out."""

    template = (
        "COALESCE(first_at, run_at) + make_interval(secs => extract(epoch FROM every) * (1 + floor("
        "extract(epoch FROM statement_timestamp() - COALESCE(first_at, run_at)) / extract(epoch FROM every))))"
    )
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
    """Return an error as text that a column can hold: the end of its traceback."""
    told = error if isinstance(error, str) else "".join(traceback.format_exception(error))
    return told.replace("\x00", "\ufffd").encode(errors="replace").decode().strip()[-ERROR_LENGTH:]


def ago(span: datetime.timedelta) -> Any:
    return Now() - Value(span, models.DurationField())


def from_now(span: datetime.timedelta) -> Any:
    return Now() + Value(span, models.DurationField())


def merged(changes: dict[str, Any]) -> Any:
    """Return `metadata` with more keys. NULL, which other programs write, counts as empty."""
    empty, more = (Value(value, models.JSONField()) for value in ({}, changes))
    return models.Func(Coalesce(F("metadata"), empty), more, template="(%(expressions)s)", arg_joiner=" || ")
