"""How many rows a query will find, as the server's planner sees it: one round trip, nothing is read."""

from typing import Any

from django.db import connections


def estimate(sql: str, params: tuple[Any, ...], using: str) -> int:
    """Return the planner's number of rows for a SELECT. Without fresh statistics it may be far off."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        return int(top(cursor.fetchone()[0])["Plan Rows"])


def measured(sql: str, params: tuple[Any, ...], using: str) -> dict[str, Any]:
    """Run a SELECT and return the plan that was used, each node with the rows that it really gave."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
        return top(cursor.fetchone()[0])


def top(answer: Any) -> dict[str, Any]:
    """Return the topmost node of a plan."""
    plan: dict[str, Any] = answer[0]["Plan"]
    return plan
