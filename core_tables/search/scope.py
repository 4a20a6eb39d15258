"""Which memories a search looks at: named filters, and whatever the queryset has been filtered by before."""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypedDict

from django.apps import apps
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet, UUIDField

from core_tables.contents import check_text
from core_tables.querysets.base import key_of

if TYPE_CHECKING:
    from core_tables.models import Memory

LIVE = "(m.expires_at IS NULL OR m.expires_at > statement_timestamp())"
_key = UUIDField().to_python


class Within(TypedDict, total=False):
    """What a search can be kept to. Each of the first five takes one value or several; None leaves it open.

    agent, room, world, entity: rows or their ids.
    type: types of memories.
    unique: True for memories that had no near-duplicate when they were added, False for the others. A memory stays what
        it was called then, also when the one that was there before has expired or is deleted.
    since, until: written from then on, or before then. Without a time zone they are in that of the settings.
    expired: True to look at memories past their expiry, too.
    """

    agent: Any
    room: Any
    world: Any
    entity: Any
    type: str | Iterable[str] | None
    unique: bool | None
    since: datetime.datetime | None
    until: datetime.datetime | None
    expired: bool


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"type={value!r}: give a text, or several.")
    check_text(value, "The type")
    return str(value.value) if isinstance(value, Enum) else value


def _moment(value: Any) -> Any:
    """Read a datetime without a time zone, and warn of it, as Django does in a filter."""
    field: Any = apps.get_model("core_tables", "Memory")._meta.get_field("created_at")
    return field.get_prep_value(value)


# How each filter reads in SQL, and what becomes of a value: one place where the names meet the columns.
CONDITIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "agent": ("m.agent_id", lambda value: _key(key_of(value))),
    "room": ("m.room_id", lambda value: _key(key_of(value))),
    "world": ("m.world_id", lambda value: _key(key_of(value))),
    "entity": ("m.entity_id", lambda value: _key(key_of(value))),
    "type": ("m.type", _text),
}
COMPARISONS = {"unique": 'm."unique" = %s', "since": "m.created_at >= %s", "until": "m.created_at < %s"}


@dataclass(frozen=True, slots=True)
class Scope:
    """A condition on memories `m`, with its parameters, and the database to ask."""

    where: str
    params: tuple[Any, ...]
    using: str

    @classmethod
    def of(cls, rows: "QuerySet[Memory]", within: Mapping[str, Any]) -> "Scope":
        """Return the scope of a queryset and named filters.

        Raises:
            TypeError: a filter has a name that Within does not know or a value of another kind, or the queryset returns
                no memories or locks them.
            ValidationError: an id is none.
        """
        if unknown := within.keys() - Within.__annotations__:
            raise TypeError(f"A search knows no {min(unknown)!r}; it knows {', '.join(Within.__annotations__)}.")
        conditions = list(_named(within))
        if _narrowed(rows):
            conditions.append(_subquery(rows))
        return cls(" AND ".join(sql for sql, _ in conditions) or "true", _flat(conditions), rows.db)


def _named(within: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for name, value in within.items():
        if value is None or name == "expired":
            continue
        if name in COMPARISONS:
            if not isinstance(value, bool if name == "unique" else datetime.datetime):
                raise TypeError(f"{name}={value!r}: give {'True or False' if name == 'unique' else 'a datetime'}.")
            yield COMPARISONS[name], (value if name == "unique" else _moment(value),)
            continue
        column, prepared = CONDITIONS[name]
        if isinstance(value, Iterable) and not isinstance(value, str):
            yield f"{column} = ANY(%s)", ([prepared(one) for one in value],)
        else:
            yield f"{column} = %s", (prepared(value),)
    if not within.get("expired"):
        yield LIVE, ()


def _narrowed(rows: "QuerySet[Memory]") -> bool:
    query = rows.query
    if rows._fields is not None:  # type: ignore[attr-defined]
        raise TypeError("A search returns memories: call it before values() or values_list(), or take what you need.")
    if query.select_for_update:
        raise TypeError("A search locks nothing: search first, then lock what it found by its ids.")
    return bool(query.where or query.is_sliced or query.combinator or query.distinct or query.extra)


def _subquery(rows: "QuerySet[Memory]") -> tuple[str, tuple[Any, ...]]:
    # Which rows there are may hang on the order.
    ordered = rows.query.is_sliced or rows.query.distinct_fields
    inner = (rows if ordered else rows.order_by()).values("pk")
    try:
        sql, params = inner.query.get_compiler(connection=connections[rows.db]).as_sql()
    except EmptyResultSet:
        return "false", ()
    return f"m.id IN ({sql})", tuple(params)


def _flat(conditions: Iterable[tuple[str, tuple[Any, ...]]]) -> tuple[Any, ...]:
    return tuple(value for _, params in conditions for value in params)
