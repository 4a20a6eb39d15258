"""What a plan will run into: rows that break a constraint, asked for before anybody runs it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from django.core.checks import CheckMessage

from agentsql import findings
from agentsql.failures import offending_rows
from agentsql.schema import Kind
from agentsql.situation import Situation
from agentsql.step import Step

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

LONGEST = 30.0  # seconds that all questions may take together; what is not asked then shows when the plan runs


def foreseen(
    connection: BaseDatabaseWrapper, steps: Iterable[Step], now: Situation, *, lock_timeout: float
) -> Iterator[CheckMessage]:
    """Yield a finding for each step that rows of a table in use would stop.

    A step on a column that is still missing is left out: there is nothing to look at.
    """
    deadline = time.monotonic() + LONGEST
    for step in steps:
        patience = deadline - time.monotonic()
        needs_column = any(key.kind is Kind.COLUMN for key in step.requires)
        if step.offenders and now.in_use(step.key.table) and patience > 0 and not needs_column:
            count, some = offending_rows(step, connection, lock_timeout=lock_timeout, patience=patience)
            if count:
                yield findings.rows_break(step.key, count, some, step.offenders)
