"""Numbers of rows that cost the same whatever the tables hold: counted so far, and beyond that estimated."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, transaction
from django.db.models import QuerySet

MOST = 10_000
# What has to be found along an index, in the index's order, so that a LIMIT ends it.
STEADY = dict.fromkeys(("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "jit"), "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How many rows there are.

    counted: those that were seen.
    about: the planner's number of all, where more than those may be there; None where there are no others.
    """

    counted: int
    about: int | None = None

    @property
    def likely(self) -> int:
        """The best guess."""
        return self.counted if self.about is None else max(self.counted, self.about)

    def __str__(self) -> str:
        if self.about is None:
            return f"{self.counted:,}"
        if self.about > max(self.counted, 1):
            return f"about {rounded(self.about):,}"
        return f"{self.counted:,} or more" if self.counted else "maybe some"


def rounded(number: float) -> int:
    """Return a number with its first two digits, as befits an estimate."""
    return int(float(f"{number:.1e}"))


@contextmanager
def steady(using: str) -> Iterator[None]:
    """Read along indexes in this block. A scan would stop at a LIMIT too, but nobody knows after how many other rows.

    The block writes nothing: its transaction, or savepoint, is rolled back, since settings outlive a released one.
    """
    items = ", ".join("set_config(%s, %s, true)" for _ in STEADY)
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute(f"SELECT {items}", [text for item in STEADY.items() for text in item])
        yield
        transaction.set_rollback(True, using=using)


def counts(rows: Sequence[QuerySet[Any]], using: str, most: int = MOST) -> list[int]:
    """Return how many rows each of these has, `most` + 1 where it has more, in one statement."""
    limited = [compiled(_bare(row)[: most + 1], using) for row in rows]
    return list(_ask("SELECT", "(SELECT count(*) FROM ({}) AS counted)", limited, using)) if rows else []


def estimates(rows: Sequence[QuerySet[Any]], using: str) -> list[int]:
    """Return how many rows the planner expects of each, in one statement that reads none."""
    if not rows:
        return []
    parts = [compiled(_bare(row), using) for row in rows]
    (answer,) = _ask("EXPLAIN (FORMAT JSON) SELECT", "ARRAY(SELECT 1 FROM ({}) AS found)", parts, using)
    plans = [plan for plan in answer[0]["Plan"]["Plans"] if plan["Parent Relationship"] == "InitPlan"]
    # "InitPlan 3", or "InitPlan 3 (returns $2)".
    plans.sort(key=lambda plan: int(plan["Subplan Name"].split()[1]))
    return [int(plan["Plan Rows"]) for plan in plans]


def amounts(rows: Sequence[QuerySet[Any]], using: str, most: int = MOST) -> list[Amount]:
    """Return how many rows each of these has."""
    with steady(using):
        seen = counts(rows, using, most)
    guesses = estimates(rows, using)
    return [
        Amount(counted=count) if count <= most else Amount(counted=most, about=guess)
        for count, guess in zip(seen, guesses, strict=True)
    ]


def _bare(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.order_by().values(rows.model._meta.pk_fields[0].attname)


def compiled(rows: QuerySet[Any], using: str) -> tuple[str, tuple[Any, ...]]:
    """Return a query as a text and its parameters, to be put into another."""
    try:
        sql, params = rows.query.get_compiler(using).as_sql()
    except EmptyResultSet:
        return "SELECT 1 WHERE false", ()
    return sql, tuple(params)


def _ask(verb: str, shape: str, parts: Sequence[tuple[str, tuple[Any, ...]]], using: str) -> tuple[Any, ...]:
    items = ", ".join(shape.format(sql) for sql, _ in parts)
    with connections[using].cursor() as cursor:
        cursor.execute(f"{verb} {items}", [param for _, params in parts for param in params])
        found: tuple[Any, ...] = cursor.fetchone()
    return found
