"""Which way a vector search goes: through all the rows of its scope, or along the vector index.

Neither wins alone. Through all rows is exact, and costs about 3 microseconds a row at 384 numbers. The index (HNSW)
does not know the filter: pgvector walks it by iterative scan until enough rows pass, which costs about ten times as
much a candidate, and a scope of one row in s needs `limit * s` candidates. So with R rows in scope of T in all,

    exact:  R          index:  10 * limit * T / R

and exact is the cheaper one while R^2 <= 10 * limit * T. Measured with `benchmarks/memory.py`; see
https://github.com/pgvector/pgvector#iterative-index-scans.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

# With so few rows no index is faster, whatever the whole table has.
FEW = 2_000
# Microseconds a candidate along the index takes, in those a row takes otherwise.
CANDIDATE = 10
# Candidates that HNSW keeps while it walks: 400 found 10 of the 10 nearest of 100,000 clustered vectors, 40 found 9.
BREADTH, BROADEST = 400, 1_000
TOTAL = "SELECT reltuples FROM pg_class WHERE oid = to_regclass('embeddings')"


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


def settings(limit: int) -> dict[str, str]:
    """Return the server's settings for a walk along the index that has to find so many rows."""
    return {
        "hnsw.iterative_scan": "relaxed_order",
        "hnsw.ef_search": str(min(max(BREADTH, 2 * limit), BROADEST)),
        # Without a sort there is only the index to give the order, and nested loops to keep it.
        "enable_sort": "off",
        "enable_seqscan": "off",
        # Its estimated cost makes the walk look worth compiling, which takes longer than the walk.
        "jit": "off",
    }


@contextmanager
def local(using: str, values: dict[str, str]) -> Iterator[tuple[CursorWrapper, float]]:
    """Set these for the statements of the block only; yield a cursor, and how many embeddings there are.

    The block's transaction, or savepoint within the caller's, is rolled back, since settings outlive a released one.
    """
    items = ", ".join("set_config(%s, %s, true)" for _ in values)
    params: list[Any] = [text for item in values.items() for text in item]
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(f"SELECT ({TOTAL}), {items}", params)
        yield cursor, float(cursor.fetchone()[0] or 0)
        transaction.set_rollback(True, using=using)
