"""Many threads at once, each with a connection of its own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connections


def together(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Call `work` with each item at the same moment; return what came of it, in their order."""
    items = list(items)
    barrier = Barrier(len(items), timeout=20)

    def started(item: Any) -> Any:
        try:
            connections["default"].ensure_connection()
            barrier.wait()
            return work(item)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(started, items))
