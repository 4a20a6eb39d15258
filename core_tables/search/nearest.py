"""The memories nearest to a vector, by cosine."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.utils import CursorWrapper
from pgvector import Vector

from core_tables.embeddings.widths import WIDEST_SINGLE, column_for
from core_tables.search.estimate import estimate
from core_tables.search.route import FEWEST, ITERATE, MANY, TRAP, Plan, choose, depth, surely_exact, walk
from core_tables.search.scope import Scope

SAME = 1e-6  # a distance that is none, but for rounding
EQUAL = 3  # so many equal distances are no chance
SELECT_ALONG = """
SELECT {select}, {distance} AS distance
  FROM memories m JOIN embeddings e ON e.memory_id = m.id
 WHERE {where} AND e.{column} IS NOT NULL
 ORDER BY distance LIMIT %s
"""
MET = """
SELECT count(*) FROM (
  SELECT {distance} AS distance FROM embeddings e WHERE e.{column} IS NOT NULL ORDER BY distance LIMIT 100000
) AS met WHERE distance = %s
"""
# One by one: the planner would rather read all the embeddings there are, to hash them. A database that others made may
# have two for a memory, and the nearer one counts: by min(), which no vector index serves, as it does ORDER BY.
SELECT_EACH = """
SELECT {select}, e.distance
  FROM memories m CROSS JOIN LATERAL (
    SELECT min(e.{column} <=> %s::vector) AS distance FROM embeddings e
     WHERE e.memory_id = m.id AND e.{column} IS NOT NULL
  ) e
 WHERE e.distance IS NOT NULL AND {where}
 ORDER BY distance LIMIT %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a search did.

    estimated: rows in scope, as the planner saw it.
    total: embeddings in the table, as its statistics have it; None where that was not asked.
    wanted: rows that the walk was made for.
    why: the reason for the plan.
    """

    plan: Plan
    estimated: int
    total: int | None
    wanted: int
    why: str
    sql: str
    params: tuple[Any, ...]


def nearest(scope: Scope, vector: Vector, limit: int, select: str) -> tuple[list[tuple[Any, ...]], Trace]:
    """Return up to `limit` rows, best first: what `select` names of `m`, the id first; the distance, 0 to 2, last."""
    rows = estimate(f"SELECT FROM memories m WHERE {scope.where}", scope.params, scope.using)
    if surely_exact(rows):
        return exact(scope, vector, limit, select, estimated=rows, why="few rows in scope")
    wanted = max(limit, FEWEST)
    with walk(scope.using, rows, wanted) as (cursor, total):
        facts: dict[str, Any] = {"estimated": rows, "total": int(total)}
        if choose(rows, total, limit) is Plan.EXACT:
            why = "few rows in scope of a large table"
        else:
            deep = depth(rows, total, wanted)
            found, trace = _along(cursor, scope, vector, deep, select, wanted=wanted, why="many rows in scope", **facts)
            why = _doubt(cursor, vector, found, trace)
            if why and rows > MANY:
                why = f"{why}, so it went on"
                cursor.execute(ITERATE)
                found, trace = _along(cursor, scope, vector, deep, select, wanted=wanted, why=why, **facts)
            if not why or (rows > MANY and len(found) >= limit):
                return found[:limit], trace
    return exact(scope, vector, limit, select, why=why, **facts)


def _doubt(cursor: CursorWrapper, vector: Vector, found: Sequence[tuple[Any, ...]], trace: Trace) -> str:
    """Return why a walk may have missed nearer rows, "" where it has not."""
    if len(found) < trace.params[-1]:
        return f"a walk along the index gave {len(found)} of {trace.params[-1]}"
    # Nothing is nearer than what is the same as the query.
    alike = Counter(row[-1] for row in found if row[-1] > SAME)
    distance, times = max(alike.items(), key=lambda pair: pair[1], default=(0.0, 0))
    if times < EQUAL:
        return ""
    form, column = _distance(vector)
    cursor.execute(MET.format(distance=form, column=column), (trace.params[0], distance))
    met = cursor.fetchone()[0]
    return f"a walk along the index met {met:,} equal vectors" if met >= TRAP else ""


def _along(
    cursor: CursorWrapper, scope: Scope, vector: Vector, limit: int, select: str, **facts: Any
) -> tuple[list[tuple[Any, ...]], Trace]:
    sql, params = statement(scope, vector, limit, select, Plan.INDEX)
    cursor.execute(sql, params)
    # A scan in relaxed order may swap neighbours; and each memory counts once, by its nearest.
    best: dict[Any, tuple[Any, ...]] = {}
    for row in sorted(cursor.fetchall(), key=lambda row: row[-1]):
        best.setdefault(row[0], row)
    return list(best.values()), Trace(plan=Plan.INDEX, sql=sql, params=params, **facts)


def exact(
    scope: Scope, vector: Vector, limit: int, select: str, *, estimated: int, why: str, total: int | None = None
) -> tuple[list[tuple[Any, ...]], Trace]:
    """Look through all the rows of the scope."""
    sql, params = statement(scope, vector, limit, select, Plan.EXACT)
    with connections[scope.using].cursor() as cursor:
        cursor.execute(sql, params)
        found = cursor.fetchall()
    return found, Trace(
        plan=Plan.EXACT, estimated=estimated, total=total, wanted=limit, why=why, sql=sql, params=params
    )


def statement(scope: Scope, vector: Vector, limit: int, select: str, plan: Plan) -> tuple[str, tuple[Any, ...]]:
    """Return the SQL of a plan and its parameters."""
    distance, column = _distance(vector)
    form = SELECT_EACH if plan is Plan.EXACT else SELECT_ALONG
    sql = form.format(select=select, distance=distance, where=scope.where, column=column)
    return sql, (text_of(vector), *scope.params, limit)


def _distance(vector: Vector) -> tuple[str, str]:
    """Return the expression that the index is on, and its column."""
    width = vector.dimensions()
    column = str(column_for(width).column)
    if width > WIDEST_SINGLE:
        return f"(e.{column}::halfvec({width}) <=> %s::halfvec({width}))", column
    return f"(e.{column} <=> %s::vector)", column


def text_of(vector: Vector) -> str:
    """Return a vector as the server reads it, with the nine digits that single precision has."""
    numbers = vector.to_list()
    return f"[{','.join(['%.9g'] * len(numbers))}]" % tuple(numbers)
