"""The memories nearest to a vector, by cosine."""

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.utils import CursorWrapper
from pgvector import Vector

from core_tables.embeddings.widths import column_for
from core_tables.search.estimate import estimate
from core_tables.search.route import ITERATE, MANY, Plan, choose, surely_exact, walk
from core_tables.search.scope import Scope

# A vector's index holds up to 2,000 numbers; a wider column is indexed as halfvec, and has to be asked as that.
WIDEST_INDEXED = 2_000
SELECT_ALONG = """
SELECT {select}, {distance} AS distance
  FROM memories m JOIN embeddings e ON e.memory_id = m.id
 WHERE {where} AND e.{column} IS NOT NULL
 ORDER BY distance LIMIT %s
"""
# One by one: the planner would rather read all the embeddings there are, to hash them. A database that others made may
# have two for a memory, and the nearer one counts.
SELECT_EACH = """
SELECT {select}, e.distance
  FROM memories m CROSS JOIN LATERAL (
    SELECT e.{column} <=> %s::vector AS distance FROM embeddings e
     WHERE e.memory_id = m.id AND e.{column} IS NOT NULL ORDER BY distance LIMIT 1
  ) e
 WHERE {where}
 ORDER BY distance LIMIT %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a search did.

    estimated: rows in scope, as the planner saw it.
    total: embeddings in the table, as its statistics have it; None where that was not asked.
    why: the reason for the plan.
    """

    plan: Plan
    estimated: int
    total: int | None
    why: str
    sql: str
    params: tuple[Any, ...]


def nearest(scope: Scope, vector: Vector, limit: int, select: str) -> tuple[list[tuple[Any, ...]], Trace]:
    """Return up to `limit` rows, best first: what `select` names of `m`, the id first; the distance, 0 to 2, last."""
    rows = estimate(f"SELECT FROM memories m WHERE {scope.where}", scope.params, scope.using)
    if surely_exact(rows):
        return exact(scope, vector, limit, select, estimated=rows, why="few rows in scope")
    with walk(scope.using, rows, limit) as (cursor, total):
        facts = {"estimated": rows, "total": int(total)}
        if choose(rows, total, limit) is Plan.EXACT:
            why = "few rows in scope of a large table"
        else:
            found, trace = _along(cursor, scope, vector, limit, select, why="many rows in scope", **facts)
            few = len(found)
            if few < limit and rows > MANY:
                cursor.execute(ITERATE)
                why = f"a walk along the index gave {few} of {limit}, so it went on"
                found, trace = _along(cursor, scope, vector, limit, select, why=why, **facts)
            if len(found) == limit:
                return found, trace
            why = f"a walk along the index gave {few} of {limit}"
    return exact(scope, vector, limit, select, why=why, **facts)


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
    return found, Trace(plan=Plan.EXACT, estimated=estimated, total=total, why=why, sql=sql, params=params)


def statement(scope: Scope, vector: Vector, limit: int, select: str, plan: Plan) -> tuple[str, tuple[Any, ...]]:
    """Return the SQL of a plan and its parameters."""
    width = vector.dimensions()
    column = column_for(width).column
    distance = f"(e.{column} <=> %s::vector)"
    if width > WIDEST_INDEXED:
        distance = f"(e.{column}::halfvec({width}) <=> %s::halfvec({width}))"
    form = SELECT_EACH if plan is Plan.EXACT else SELECT_ALONG
    sql = form.format(select=select, distance=distance, where=scope.where, column=column)
    return sql, (text_of(vector), *scope.params, limit)


def text_of(vector: Vector) -> str:
    """Return a vector as the server reads it, with the nine digits that single precision has."""
    numbers = vector.to_list()
    return f"[{','.join(['%.9g'] * len(numbers))}]" % tuple(numbers)
