"""Workers claim due tasks under a lease, and finish them only while it stands.

All times are those of the database's clock, so that the clocks of the workers need not agree. The lease is a UUID of
its own and not the number of attempts, which starts anew with each slot: a worker that slept through a slot could
otherwise finish a later one.
"""

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.contrib.postgres.functions import RandomUUID
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import BooleanField, Case, F, Q, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Now

from core_tables.querysets.base import key_of
from core_tables.querysets.task_input import check_lease, checked_limit, texts
from core_tables.querysets.task_sql import REPEATS, RanOut, backoff, described, from_now, merged, one_more
from core_tables.querysets.task_updates import TaskUpdates
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Agent, Task

LEASE = datetime.timedelta(minutes=5)
# An array, because PostgreSQL can't tell how few rows a computed LIMIT leaves, and would read the whole table to join
# them. Materialized, so that each part is asked once: asked again it would lock, and so take, more rows.
TAKEN = (
    "{table}.id = ANY (ARRAY("
    "WITH lapsed (taken) AS MATERIALIZED ({lapsed} LIMIT %s {lock}), "
    "due (taken) AS MATERIALIZED ({due} LIMIT (SELECT %s - count(*) FROM lapsed) {lock}) "
    "SELECT lapsed.taken FROM lapsed UNION ALL SELECT due.taken FROM due))"
)


class LeaseQuerySet(TaskUpdates):
    def claim(
        self,
        limit: int = 1,
        *,
        lease: datetime.timedelta = LEASE,
        agents: "Iterable[Agent | UUID] | None" = None,
        names: Iterable[str] | None = None,
        tags: Iterable[str] | None = None,
        worker: str = "",
    ) -> "list[Task]":
        """Take up to `limit` tasks that are due, for as long as `lease`, and return them, the longest waiting first.

        One statement: no two workers get the same task, and none waits for another. What was left by a worker whose
        lease ran out comes first; it has one more on `attempts`, and the reason in `last_error`. Where its attempts
        are used up, it is left to `expire()`.

        Args:
            agents, names, tags: only tasks of these agents, of these names (see `named()`), with all of these tags.
            worker: who asks, for people to read.

        Raises:
            TypeError, ValueError: `limit` is no number from 0 on, `lease` no timedelta, or a name or tag no text.
        """
        limit = checked_limit(limit)
        check_lease(lease)
        self._for_write = True
        try:
            chosen = self.using(self.db)._narrowed(agents, names, tags)._takeable(limit)
        except EmptyResultSet:  # no agents, or no names
            return []
        found = (
            self._afresh()
            .filter(chosen)
            ._returning(
                status=self.model.Status.RUNNING,
                attempts=one_more("attempts"),
                lease=RandomUUID(),
                worker=worker or None,
                locked_until=from_now(lease),
                started_at=Now(),
                first_at=Coalesce(F("first_at"), F("run_at")),
                last_error=Case(When(status=self.model.Status.RUNNING, then=RanOut()), default=F("last_error")),
            )
        )
        return sorted(found, key=lambda task: (task.run_at, task.pk))

    aclaim = twin(claim)

    def extend(self, task: "Task", lease: datetime.timedelta = LEASE) -> None:
        """Hold a claimed task from now on for as long as `lease`.

        Raises:
            LeaseLost: somebody else has it by now.
        """
        check_lease(lease)
        self._held_or_lost(task, locked_until=from_now(lease))

    aextend = twin(extend)

    def complete(self, task: "Task", result: Any = None) -> None:
        """Note that a claimed task is done. One that repeats waits for its next slot.

        Args:
            result: kept as `metadata["result"]`; nothing is kept of None.

        Raises:
            LeaseLost: somebody else has it by now, or it was cancelled: undo what you did, if you can.
            TypeError: `result` is no JSON.
        """
        kept = {} if result is None else {"metadata": merged({"result": result})}
        self._held_or_lost(
            task,
            **self._ended(self.model.Status.DONE),
            last_error=Case(When(REPEATS, then=Value(None)), default=F("last_error")),
            **kept,
        )

    acomplete = twin(complete)

    def fail(
        self,
        task: "Task",
        error: BaseException | str,
        *,
        retry: bool = True,
        after: datetime.timedelta | None = None,
        note: dict[str, Any] | None = None,
    ) -> None:
        """Note that an attempt at a claimed task failed; `last_error` keeps the end of the traceback.

        Where attempts are left it is due again later, or else it has failed for good. One that repeats is never
        over: it waits for its next slot instead.

        Args:
            retry: False where to try again would not help.
            after: how long to wait, where the default (see `backoff()`) is not what the other side asks for; a century
                at most.
            note: more for `metadata`.

        Raises:
            LeaseLost: somebody else has it by now, or it was cancelled.
        """
        again = Q(attempts__lt=F("max_attempts")) if retry else None
        due = from_now(backoff(task.attempts) if after is None else after)
        kept = {"metadata": merged(note)} if note else {}
        ended = self._ended(self.model.Status.FAILED, unless=again, due=due)
        self._held_or_lost(task, **ended, last_error=described(error), **kept)

    afail = twin(fail)

    def release(self, task: "Task") -> None:
        """Give a claimed task back: others may take it at once.

        Raises:
            LeaseLost: somebody else has it by now, or it was cancelled.
        """
        self._held_or_lost(task, status=self.model.Status.PENDING, locked_until=None, lease=None)

    arelease = twin(release)

    def expire(self) -> "list[Task]":
        """End what was left by a worker on its last attempt, and return it. Workers call it now and then."""
        self._for_write = True
        spent = self.using(self.db).lapsed().order_by().filter(attempts__gte=F("max_attempts"))
        return spent._returning(**self._ended(self.model.Status.FAILED), last_error=RanOut())

    aexpire = twin(expire)

    def _narrowed(
        self,
        agents: "Iterable[Agent | UUID] | None" = None,
        names: Iterable[str] | None = None,
        tags: Iterable[str] | None = None,
    ) -> Self:
        # PostgreSQL locks no rows that are distinct or grouped.
        apart = self.query.distinct or self.query.group_by is not None
        rows = self._afresh().filter(pk__in=self.values("pk")) if apart else self
        rows = rows if agents is None else rows.filter(agent__in=[key_of(agent) for agent in agents])
        rows = rows if names is None else rows.named(*texts(names, "Names"))
        return rows if tags is None else rows.tagged(*texts(tags, "Tags"))

    def _takeable(self, limit: int) -> RawSQL:
        """Return the condition that a row is among up to `limit` that nobody else takes meanwhile."""
        connection = connections[self.db]
        table = connection.ops.quote_name(self.model._meta.db_table)
        # Only of this table: a filter may have joined others.
        lock = connection.ops.for_update_sql(skip_locked=True, of=(table,), no_key=True)
        left = self.lapsed().filter(attempts__lt=F("max_attempts"))
        lapsed, first = left.values("pk").query.get_compiler(self.db).as_sql()
        due, second = self.due().values("pk").query.get_compiler(self.db).as_sql()
        sql = TAKEN.format(table=table, lapsed=lapsed, due=due, lock=lock)
        return RawSQL(sql, (*first, limit, *second, limit), BooleanField())  # noqa: S611
