"""Columns that other programs write as well: PostgreSQL holds more than Python reads, and no such value stops a list.

A time or a span beyond what Python knows, infinity for one, is read as the last that it knows. It stays what it is in
the database, where all comparisons are made. Only what `values()` has and is ordered by is selected as it is, and can
be an error: `values(at=F("created_at"))` is none. JSON nested too deep for Python is read as its text, and written back
so.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db import models
from psycopg.types.json import Jsonb

# A day within what Python reads, for every time zone.
EARLIEST, LATEST = "timestamptz '0001-01-02 00:00+00'", "timestamptz '9999-12-30 00:00+00'"
BOUNDS = {
    models.DateTimeField: (EARLIEST, LATEST),
    models.DurationField: ("interval '-900000000 days'", "interval '900000000 days'"),
}
_COLUMN = re.compile(r'("[^"]+"\.)*"[^"]+"')


class DeepJSON(str):
    """The text of JSON that is nested too deep for Python."""

    __slots__ = ()


def forgive(model: type[models.Model]) -> None:
    """Let the fields of a model read whatever their columns hold.

    Each field by itself, and not by a class of fields of our own: Django lets no expression mix that with its own, as
    `Greatest(Now(), F("expires_at"))` does.
    """
    for field in model._meta.concrete_fields:
        if bounds := BOUNDS.get(type(field)):
            field.__dict__["select_format"] = partial(_select_within, field.name, bounds)
        elif isinstance(field, models.JSONField):
            field.__dict__.update(_of_any_depth(field))


def selected(field: "models.Field[Any, Any]", column: str) -> str:
    """Return the SQL that selects a quoted column as its field can read it, for SQL of one's own."""
    select: Any = field.select_format
    return str(select(None, column, ())[0])


def _select_within(name: str, bounds: tuple[str, str], compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
    low, high = bounds
    if compiler and (compiler.query.subquery or _is_place(compiler.query, name)):
        return sql, params
    if _COLUMN.fullmatch(sql):
        return f"CASE WHEN {sql} < {low} THEN {low} WHEN {sql} > {high} THEN {high} ELSE {sql} END", params
    # An expression is worked out once. GREATEST and LEAST leave NULL out, so it comes as the lowest, and goes back.
    return f"NULLIF(LEAST(GREATEST({sql}, {low}), {high}), {low})", params


def _is_place(query: Any, name: str) -> bool:
    """Tell whether values are ordered by a field that they have: Django orders by its place among them.

    There it has to be the column itself, since no index is of an expression.
    """
    ordering = query.order_by or (query.get_meta().ordering if query.default_ordering else ())
    columns = [getattr(one, "expression", one) for one in ordering]
    ordered = {str(getattr(column, "name", column)).lstrip("-+") for column in columns}
    return any(path in ordered and path.rpartition("__")[2] == name for path in query.values_select)


def _of_any_depth(field: Any) -> dict[str, Any]:
    read, write = field.from_db_value, field.get_db_prep_value

    def from_db_value(value: Any, expression: Any, connection: Any) -> Any:
        try:
            return read(value, expression, connection)
        except RecursionError:
            return DeepJSON(value)

    def get_db_prep_value(value: Any, connection: Any, prepared: bool = False) -> Any:
        return Jsonb(value, dumps=str) if isinstance(value, DeepJSON) else write(value, connection, prepared)

    return {"from_db_value": from_db_value, "get_db_prep_value": get_db_prep_value}


def texts(values: Any) -> Iterator[str]:
    """Yield the texts of an array, whatever else another program put beside them: NULL, "", or arrays within."""
    for value in values if isinstance(values, list) else ():
        if isinstance(value, list):
            yield from texts(value)
        elif isinstance(value, str) and value:
            yield value
