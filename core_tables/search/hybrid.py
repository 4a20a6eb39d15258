"""Both arms of a hybrid search, and what each found."""

from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Any

from django.apps import apps
from pgvector import Vector

from core_tables.fields import selected
from core_tables.search.fusion import Hit
from core_tables.search.matching import Match, matching, ranked
from core_tables.search.nearest import Trace, nearest
from core_tables.search.scope import Scope

# What fusing needs of a memory. Whoever writes the rating may write anything there.
SELECT = """m.id, {created_at},
       CASE WHEN jsonb_typeof(m.metadata -> 'importance') = 'number'
            THEN least(greatest((m.metadata ->> 'importance')::numeric, 0), 10)::float8 ELSE 0 END"""
VECTOR, TEXT = "vector", "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What one arm of a search found.

    plan: how: "exact" or "index" for vectors, "text" for words.
    estimated: rows that it had to look at, as the planner saw it.
    seconds: how long it took, round trips included.
    words: the tsquery that was asked; "" for vectors.
    """

    name: str
    plan: str
    why: str
    estimated: int
    seconds: float
    hits: tuple[Hit, ...]
    words: str = ""
    trace: Trace | None = None


def by_vector(scope: Scope, vector: Vector, depth: int) -> Arm:
    """Return the nearest memories."""
    start = perf_counter()
    found, trace = nearest(scope, vector, depth, _selection())
    return Arm(
        name=VECTOR,
        plan=trace.plan,
        why=trace.why,
        estimated=trace.estimated,
        seconds=perf_counter() - start,
        hits=tuple(_hit(row, 1 - row[-1]) for row in found),
        trace=trace,
    )


def by_words(scope: Scope, query: str, depth: int, match: Match) -> Arm:
    """Return the memories that match the words best."""
    start = perf_counter()
    found = matching(scope, query, match, depth, _selection())
    return Arm(
        name=TEXT,
        plan=TEXT,
        why=_why(found.words, found.estimated, depth),
        estimated=found.estimated,
        seconds=perf_counter() - start,
        hits=tuple(_hit(row, row[-1]) for row in found.rows),
        words=found.words,
    )


@cache
def _selection() -> str:
    created_at = apps.get_model("core_tables", "Memory")._meta.get_field("created_at")
    return SELECT.format(created_at=selected(created_at, 'm."created_at"'))


def _why(words: str, estimated: int, depth: int) -> str:
    if not words:
        return "no word in the query"
    few = f"; only {ranked(depth):,} of those that match are ranked" if estimated > ranked(depth) else ""
    return f"words that count: {words}{few}"


def _hit(row: tuple[Any, ...], value: float) -> Hit:
    return Hit(id=row[0], created_at=row[1], importance=row[2], value=value)
