"""How many rows a query will find, as the server's planner sees it: one round trip, nothing is read."""

import time
from functools import lru_cache
from typing import Any

from django.db import connections

# An agent asks several questions of one scope in a row. An estimate that is out of date costs time, never a memory:
# where the plan that it leads to finds too few, all rows are looked through.
FRESH = 10.0  # seconds


def estimate(sql: str, params: tuple[Any, ...], using: str) -> int:
    """Return the planner's number of rows for a SELECT. Without fresh statistics it may be far off."""
    try:
        return _remembered(sql, params, using, time.monotonic() // FRESH)
    except TypeError:  # a list is no key
        return _asked(sql, params, using)


def _asked(sql: str, params: tuple[Any, ...], using: str) -> int:
    with connections[using].cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        return int(top(cursor.fetchone()[0])["Plan Rows"])


@lru_cache(maxsize=1_000)
def _remembered(sql: str, params: tuple[Any, ...], using: str, period: float) -> int:  # noqa: ARG001 - part of the key
    return _asked(sql, params, using)


def measured(sql: str, params: tuple[Any, ...], using: str) -> dict[str, Any]:
    """Run a SELECT and return the plan that was used, each node with the rows that it really gave."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
        return top(cursor.fetchone()[0])


def top(answer: Any) -> dict[str, Any]:
    """Return the topmost node of a plan."""
    plan: dict[str, Any] = answer[0]["Plan"]
    return plan
