"""Rows that point to what is not there: PostgreSQL's refusal, in words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, models

from core_tables.exceptions import UnknownAgent, UnknownRow

FOREIGN_KEY = "23503"
# The part of PostgreSQL's detail that is the same in every language of a server.
PAIR = re.compile(r"\((\w+)\)=\((.*?)\)")


@contextmanager
def clear_references(model: type[models.Model]) -> Iterator[None]:
    """Name what a new row of a model points to, where that is not there.

    In a transaction of the caller's it is too early: a deferred constraint speaks when that one commits.

    Raises:
        UnknownAgent: there is no such agent.
        UnknownRow: there is no such row of another kind.
    """
    try:
        yield
    except IntegrityError as error:
        missing = _missing(error, model)
        if missing is None:
            raise
        field, key = missing
        name = field.related_model._meta.verbose_name
        kind = UnknownAgent if field.related_model._meta.label == "core_tables.Agent" else UnknownRow
        raise kind(f"There is no {name} with the id {key}: create it first, or name one that is there.") from error


def _missing(error: IntegrityError, model: type[models.Model]) -> "tuple[models.ForeignKey[models.Model], str] | None":
    """Return the key that leads nowhere and its value, if that is what PostgreSQL says of a row of this model."""
    told = getattr(error.__cause__, "diag", None)
    if told is None or told.sqlstate != FOREIGN_KEY or told.table_name != model._meta.db_table:
        return None
    pair = PAIR.search(told.message_detail or "")
    keys = {field.column: field for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)}
    return (keys[pair[1]], pair[2]) if pair and pair[1] in keys else None
