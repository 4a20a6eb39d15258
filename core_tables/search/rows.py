"""Rows of a search's own SQL as memories, as Django would load them."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connections

from core_tables.fields import selected

if TYPE_CHECKING:
    from core_tables.models import Memory


@cache
def _fields() -> list[Any]:
    return list(apps.get_model("core_tables", "Memory")._meta.concrete_fields)


@cache
def _selected() -> list[Any]:
    return sorted(_fields(), key=lambda field: not field.primary_key)


@cache
def columns() -> str:
    """Return all columns of memories `m`, the id first, for a SELECT."""
    return ", ".join(selected(field, f'm."{field.column}"') for field in _selected())


def memories(found: Iterable[tuple[Any, ...]], using: str) -> Iterator["Memory"]:
    """Yield each row that begins with `columns()` as a memory."""
    connection = connections[using]
    model = apps.get_model("core_tables", "Memory")
    names = [field.attname for field in _fields()]
    places = [_selected().index(field) for field in _fields()]
    converters = _converters(using)
    for row in found:
        values = [row[place] for place in places]
        for place, expression, convert in converters:
            values[place] = convert(values[place], expression, connection)
        yield model.from_db(using, names, values)


@cache
def _converters(using: str) -> list[tuple[int, Any, Callable[..., Any]]]:
    operations = connections[using].ops
    return [
        (place, field.cached_col, convert)
        for place, field in enumerate(_fields())
        for convert in (*operations.get_db_converters(field.cached_col), *field.get_db_converters(connections[using]))
    ]
