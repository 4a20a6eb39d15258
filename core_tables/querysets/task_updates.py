"""How the state of tasks changes: conditional updates that return the rows, and what ends an attempt."""

from typing import TYPE_CHECKING, Any, Self

from django.core.exceptions import EmptyResultSet
from django.db import connections, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now
from django.db.models.sql import UpdateQuery

from core_tables.exceptions import LeaseLost
from core_tables.fields import selected
from core_tables.querysets.task_filters import TaskFilters
from core_tables.querysets.task_sql import REPEATS, NextSlot

if TYPE_CHECKING:
    from core_tables.models import Task


class TaskUpdates(TaskFilters):
    def _afresh(self) -> Self:
        """Return all rows, of the database that is written to."""
        self._for_write = True
        return type(self)(self.model, using=self.db)

    def _ended(self, status: str, *, unless: Q | None = None, due: Any = None) -> dict[str, Any]:
        """Return the changes that end an attempt, with this status where the task does not repeat.

        Args:
            unless: which rows are tried again, and have this attempt counted, when they are `due`.
        """

        def either(tried: Any, repeated: Any, otherwise: Any) -> Case:
            again = [] if unless is None else [When(unless, then=tried)]
            return Case(*again, When(REPEATS, then=repeated), default=otherwise)

        pending = Value(self.model.Status.PENDING)
        return {
            "status": either(pending, pending, Value(status)),
            "run_at": either(due, NextSlot(), F("run_at")),
            "attempts": either(F("attempts"), Value(0), F("attempts")),
            "finished_at": either(F("finished_at"), Now(), Now()),
            "locked_until": None,
        }

    def _held_or_lost(self, task: "Task", **changes: Any) -> None:
        """Change the row of a task whose lease stands, and the task with it."""
        rows = self._afresh().held(task)._returning(**changes)
        if not rows:
            raise LeaseLost(
                f"The lease of task {task.pk} ({task.name}), attempt {task.attempts}, no longer stands: it ran out and "
                "another worker has the task, or somebody cancelled it. Take longer leases, or extend() them at work."
            )
        for field in self.model._meta.concrete_fields:
            setattr(task, field.attname, getattr(rows[0], field.attname))

    def _returning(self, **changes: Any) -> "list[Task]":
        """Update the rows, and return them as they are then: `update()` tells only how many."""
        self._for_write = True
        query: Any = self.query.chain(UpdateQuery)
        query.add_update_values({"updated_at": Now(), **changes})
        columns = ", ".join(map(self._returned, self.model._meta.concrete_fields))
        try:
            sql, params = query.get_compiler(self.db).as_sql()
        except EmptyResultSet:
            return []
        with transaction.mark_for_rollback_on_error(using=self.db):
            return list(self.model._base_manager.using(self.db).raw(f"{sql} RETURNING {columns}", params))

    def _returned(self, field: Any) -> str:
        name = connections[self.db].ops.quote_name(str(field.column))
        return f"{selected(field, name)} AS {name}"
