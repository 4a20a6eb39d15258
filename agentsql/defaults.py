"""What existing rows get when a column appears: a model's default as SQL, where one is true for each row."""

from __future__ import annotations

import datetime
import re
import uuid
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from agentsql.editor import DryRun, ModelField

ASKED = 20  # times, so that a coin that falls on one side is not taken for a constant
# Python callables whose value differs from call to call, and what the server computes in their stead.
SERVER_SIDE = (
    (uuid.uuid4, "gen_random_uuid()"),
    (timezone.now, "now()"),
    (datetime.datetime.now, "now()"),
    (datetime.date.today, "CURRENT_DATE"),
)
CLOCK: tuple[tuple[type[models.Field], str], ...] = (  # type: ignore[type-arg]
    (models.DateTimeField, "now()"),
    (models.DateField, "CURRENT_DATE"),
    (models.TimeField, "LOCALTIME"),
)


class UnknownDefault(Exception):
    """Only Python can compute the default, and not once for all rows."""


def standing_default(field: ModelField, editor: DryRun) -> str | None:
    """Return the default of a new column as SQL; None when the model has none or already states a database default.

    Follows Django's AddField (an empty string for a text column that may be blank), but a callable is never frozen
    into one value for all rows, and may not touch the database: planning changes nothing. Each field is asked once a
    run, so that what was planned is what runs.

    Raises:
        UnknownDefault: the default differs from call to call, asks the database, or has no form in SQL.
    """
    if field not in editor.defaults:
        try:
            with editor.connection.execute_wrapper(_refuse):
                editor.defaults[field] = _standing_default(field, editor)
        except Exception as error:  # noqa: BLE001 the project's own code runs here
            editor.defaults[field] = UnknownDefault(str(error))
    answer: str | UnknownDefault | None = editor.defaults[field]
    if isinstance(answer, UnknownDefault):
        raise answer
    return answer


def _refuse(*_: Any) -> None:
    raise UnknownDefault("it asks the database")


def _standing_default(field: ModelField, editor: DryRun) -> str | None:
    if field.has_db_default() or field.generated:
        return None
    if field.has_default():
        return _callable(field, editor) if callable(field.default) else editor.literal(field, field.get_default())
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return next((sql for kind, sql in CLOCK if isinstance(field, kind)), None)
    if not field.null and field.blank and field.empty_strings_allowed:
        return editor.literal(field, b"" if field.get_internal_type() == "BinaryField" else "")
    return None


def _callable(field: ModelField, editor: DryRun) -> str:
    for function, sql in SERVER_SIDE:
        if field.default == function:
            return sql
    first, *others = (editor.literal(field, field.get_default()) for _ in range(ASKED))
    if any(other != first for other in others):
        raise UnknownDefault("it answers differently each time")
    return first


def server_default(field: ModelField, editor: DryRun) -> str | None:
    """Return what the server gives rows that don't name the column, as SQL: the model's, or a standing one.

    Raises:
        UnknownDefault: as `standing_default`.
    """
    return editor.database_default(field) if field.has_db_default() else standing_default(field, editor)


def called(sql: str | None) -> set[str]:
    """Return the names of the functions that SQL calls, and maybe more: words before a bracket."""
    return {name.lower() for name in re.findall(r"(\w+)\"?\s*\(", sql or "")}


def fills_rows(field: ModelField, default: str | None) -> bool:
    """Tell whether rows that exist can take the column: it has a value, may be null, or the server makes one."""
    identity = isinstance(field, models.AutoField)
    return bool(default not in {None, "NULL"} or field.null or field.has_db_default() or field.generated or identity)


def has_value(field: ModelField, default: str | None) -> bool:
    """Tell whether existing rows get something other than NULL when the column appears."""
    return default not in {None, "NULL"} or field.has_db_default()
