"""What agents need no longer: memories and cache entries past their expiry, and logs past an age."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Q
from django.utils import timezone

BATCH = 5000  # rows that one transaction deletes: their locks are held for a fraction of a second
COUNTED = 100_000  # counting goes no further


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """Rows of one kind that may go.

    name: what they are, in the plural.
    delete: deletes so many at a time, each time in a transaction of its own, and yields how many.
    """

    name: str
    rows: Any
    delete: Callable[[int], Iterator[int]]

    def count(self) -> int:
        """Return how many there are, but no more than COUNTED."""
        found: int = self.rows.order_by()[:COUNTED].count()
        return found


def leftovers(
    *, agent: UUID | None = None, logs_older_than: datetime.timedelta | None = None, using: str = "default"
) -> list[Leftovers]:
    """Return what may go, kind by kind.

    Args:
        agent: only what is this agent's.
        logs_older_than: the age from which on logs go; None for no logs.
        using: the database.
    """
    own = Q() if agent is None else Q(agent=agent)
    memories, cache = _rows("Memory", using).filter(own), _rows("Cache", using).filter(own)
    found = [
        Leftovers(name="memories", rows=memories.expired(), delete=memories.delete_expired),
        Leftovers(name="cache entries", rows=cache.expired(), delete=cache.delete_expired),
    ]
    if logs_older_than is not None:
        moment = timezone.now() - logs_older_than
        # Programs other than Django know nothing of the agent of a log, but every log has an entity.
        logs = _rows("Log", using).filter(own if agent is None else own | Q(agent=None, entity__agent=agent))
        found.append(
            Leftovers(
                name="logs",
                rows=logs.filter(created_at__lt=moment),
                delete=lambda batch: logs.delete_older_than(moment, batch=batch),
            )
        )
    return found


def _rows(model: str, using: str) -> Any:
    return apps.get_model("core_tables", model)._default_manager.using(using)
