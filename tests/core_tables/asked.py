"""How many statements a piece of code costs, the savepoints of a test's own transaction apart."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext


@contextmanager
def asking(count: int) -> Iterator[list[str]]:
    """Demand that so many statements are sent; they are in the list at the end."""
    said: list[str] = []
    with CaptureQueriesContext(connection) as queries:
        yield said
    said += [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(said) == count, "\n".join(said)
