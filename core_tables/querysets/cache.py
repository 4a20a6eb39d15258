"""The cache: what has expired and what has not, and the keys and values of one agent."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.exceptions import EmptyResultSet
from django.db import connections, models, transaction
from django.db.models import Q
from django.db.models.functions import Now

from core_tables.agent_store import AgentStore
from core_tables.querysets.base import at_least_one, key_of, lockable
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Agent, Cache  # noqa: F401 - in a string that the linter takes for text


class CacheQuerySet(models.QuerySet["Cache"]):
    """Values that agents keep under keys. Expiry goes by the database's clock."""

    def live(self) -> Self:
        """Return the entries that have not expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()))

    def expired(self) -> Self:
        """Return the entries that are there and no longer count."""
        return self.filter(expires_at__lte=Now())

    def of(self, agent: "Agent | UUID", *, metadata: Mapping[str, Any] | None = None) -> AgentStore:
        """Return the keys and values of an agent; this asks the database nothing.

        Args:
            agent: the agent or its id. Filters of the queryset don't count, its database does.
            metadata: see AgentStore.
        """
        return AgentStore(agent_id=key_of(agent), entries=self, metadata=metadata or {})

    def delete_expired(self, batch: int = 5000) -> Iterator[int]:
        """Delete what has expired, each batch in its own transaction; yield how many rows went with each.

        Rows that somebody holds are left for the next time. As a generator this does nothing until it is read:
        `sum(Cache.objects.delete_expired())`.

        Raises:
            ValueError: `batch` is less than 1.
        """
        count = batch = at_least_one(batch, "The batch")
        while count == batch:
            count = self.expired()._drop(batch, first="expires_at")
            if count:
                yield count

    async def adelete_expired(self, batch: int = 5000) -> AsyncIterator[int]:
        """Do what `delete_expired()` does, asynchronously."""
        counts = self.delete_expired(batch)
        following = sync_to_async(lambda: next(counts, None))
        while (count := await following()) is not None:
            yield count

    def _drop(self, most: int | None = None, *, first: str = "updated_at") -> int:
        """Delete these rows, or the `first` ones up to `most`, but none that somebody holds; return how many."""
        self._for_write = True
        rows = lockable(self.using(self.db)).order_by(first).select_for_update(skip_locked=True, of=("self",))
        doomed = rows.values_list("key", "agent_id")[:most]
        with transaction.atomic(using=self.db), connections[self.db].cursor() as cursor:
            try:
                sql, params = doomed.query.get_compiler(using=self.db).as_sql()
            except EmptyResultSet:
                return 0
            # Apart from the DELETE, or the planner may look for rows, and lock them, more than once.
            cursor.execute(
                f"WITH doomed AS MATERIALIZED ({sql}) DELETE FROM cache USING doomed "
                "WHERE cache.key = doomed.key AND cache.agent_id = doomed.agent_id",
                params,
            )
            return int(cursor.rowcount)

    def cull(self, most: int, frequency: int) -> int:
        """Keep these rows to a number: where there are more, delete what has expired, then the oldest.

        Of several callers at once only one does it, and the others go on.

        Args:
            most: how many may stay.
            frequency: if that is not enough, delete one in so many of the rest; 0 for all of them.

        Returns: how many rows were deleted.
        """
        self._for_write = True
        rows = self.order_by()
        if rows.count() <= most:
            return 0
        with transaction.atomic(using=self.db), connections[self.db].cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('core_tables.cache', 0))")
            if cursor.fetchone() != (True,):
                return 0
            # Counted anew: somebody else may just have done it.
            if not frequency:
                return rows._drop() if rows.count() > most else 0
            expired = rows.expired()._drop()
            left = rows.count()
            return expired + (rows._drop(left // frequency) if left > most else 0)

    acull = twin(cull)
