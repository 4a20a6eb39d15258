"""Rows that point to what is gone: adopted tables may lack a key's constraint, and their rows are still to be seen."""

from typing import Any

from django.db import models
from django.db.models.sql import Query
from django.db.models.sql.constants import INNER
from django.db.models.sql.datastructures import Join


class _Outer(Query):
    """A query that takes every key for one that may lead nowhere, so that its joins drop no rows."""

    def is_nullable(self, field: Any) -> bool:  # noqa: ARG002
        return True

    def demote_joins(self, aliases: Any) -> None:
        """Leave them: a filter by the key itself says nothing of what it leads to."""


def kept(rows: models.QuerySet[Any]) -> Any:
    """Return the same rows so that `select_related()` leaves out none of them."""
    found = rows.all()
    query = rows.query.chain(_Outer)
    for alias, join in query.alias_map.items():
        if isinstance(join, Join) and join.join_type == INNER:
            query.alias_map[alias] = join.promote()
    found.query = query
    return found


def is_stranded(row: Any, key: Any) -> bool:
    """Whether a key leads nowhere, as a join has shown."""
    return key.is_cached(row) and key.get_cached_value(row) is None
