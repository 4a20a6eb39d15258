"""Which way a vector search goes: through all the rows of its scope, or along the vector index.

Neither wins alone. Through all rows is exact, and costs about 3 microseconds a row at 384 numbers. The index (HNSW)
does not know the filter: of the candidates that it walks past, one in s passes, where s is the scope's share. Such a
candidate costs about ten times as much as a row. So with R rows in scope of T in all,

    exact:  R          index:  10 * limit * T / R

and exact is the cheaper one while R^2 <= 10 * limit * T. Measured with `benchmarks/memory`.

The walk is as broad as it takes for SPARE times as many rows to pass as are wanted, if the filter has nothing to do
with the query. Where fewer than half of these pass, it has: the room, say, is about something else. What an iterative
scan would find then is far from the nearest (6 of 10, of 100,000), so all rows of the scope are looked through, unless
they are very many: then the walk goes on by iterative scan (https://github.com/pgvector/pgvector#iterative-index-scans).

Equal vectors, of an "ok" that was said a thousand times, have each other for neighbours in HNSW, and a walk that comes
among them does not get out. So where it brings equal distances, it is asked how many of them it met, and among many
all rows are looked through as well. What stays is that rows written after so many equal ones may be linked from these
alone: of 3,000 vectors beside 3,000 equal ones, a walk does not come to 1 or 2 in a hundred.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

# With so few rows no index is faster, whatever the whole table has.
FEW = 2_000
# Microseconds a candidate along the index takes, in those a row takes otherwise.
CANDIDATE = 10
# Candidates that HNSW keeps while it walks. For queries like what is stored 100 do: they find 99 % of the 10 nearest of
# 100,000 clustered vectors, 400 find 99.6 %. A question is seldom like its answer, and for queries unlike all that is
# stored 100 find 75 to 85 % of 10,000, 400 find 98 to 99.6 %; between two of its topics, 400 find all of 50,000.
BREADTH, BROADEST = 400, 1_000
SPARE = 4
# Fewer than these are walked for as if they were so many: among one or two nothing equal is to be seen.
FEWEST = 5
# Neighbours that an element of HNSW has (32), times the equal rows that it stands for (10): so many are a trap.
TRAP = 320
# Up to so many rows, less than a second, are looked through where the walk finds too few.
MANY = 200_000
ITERATE = "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true)"
TOTAL = "(SELECT reltuples FROM pg_class WHERE oid = to_regclass('embeddings'))"


class Plan(StrEnum):
    """How the vectors were looked through."""

    EXACT = "exact"
    INDEX = "index"


def surely_exact(rows: float) -> bool:
    """Tell whether so few rows are in scope that the size of the table does not matter."""
    return rows <= FEW


def choose(rows: float, total: float, limit: int) -> Plan:
    """Return the cheaper plan for so many rows in scope, of so many in all."""
    few = surely_exact(rows) or rows * rows <= CANDIDATE * limit * max(total, rows)
    return Plan.EXACT if few else Plan.INDEX


def depth(rows: float, total: float, limit: int) -> int:
    """Return how many rows to ask a walk for: half of those that are expected to pass, and no fewer than wanted."""
    passing = min(SPARE * limit, BROADEST * rows / max(total, rows, 1))
    return max(limit, int(passing / 2))


# Without a sort there is only the index to give the order, and nested loops to keep it. The estimated cost makes the
# walk look worth compiling, which takes longer than the walk.
SETTINGS = {"enable_sort": "off", "enable_seqscan": "off", "jit": "off", "hnsw.iterative_scan": "off"}


@contextmanager
def walk(using: str, rows: float, limit: int) -> Iterator[tuple[CursorWrapper, float]]:
    """Set the server for a walk along the index, for the statements of the block only.

    The block's transaction, or savepoint within the caller's, is rolled back, since settings outlive a released one.

    Args:
        using: the database.
        rows: how many are in scope.
        limit: how many are wanted.

    Yields:
        A cursor, and how many embeddings there are.
    """
    fixed = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in SETTINGS.items())
    share = f"{SPARE * limit} * total / {max(rows, 1)}"
    breadth = f"least({BROADEST}, greatest({BREADTH}, total / 1000, {2 * limit}, {share}))"
    sql = f"SELECT total, set_config('hnsw.ef_search', ({breadth})::int::text, true), {fixed}"
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(f"{sql} FROM (SELECT greatest({TOTAL}, {rows}) AS total) AS known")
        yield cursor, float(cursor.fetchone()[0])
        transaction.set_rollback(True, using=using)
