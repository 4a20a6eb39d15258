"""Memories and vectors into their tables through COPY in its binary form."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field
from django.utils import timezone
from pgvector import Vector

from core_tables.contents import checked_json
from core_tables.embeddings.widths import column_for
from core_tables.exceptions import InvalidContent

if TYPE_CHECKING:
    from core_tables.models import Memory

JSONB = b"\x01"  # the version that comes before the text of a binary jsonb
TYPES = {"UUIDField": "uuid", "ForeignKey": "uuid", "TextField": "text", "BooleanField": "bool"}
TYPES |= {"DateTimeField": "timestamptz", "JSONField": "bytea"}


@dataclass(frozen=True, slots=True)
class Packed:
    """A memory as it is sent, and its vector if it has one."""

    id: UUID
    agent_id: UUID
    row: tuple[Any, ...]
    vector: Vector | None


def packed(memory: "Memory", vector: Vector | None, connection: BaseDatabaseWrapper) -> Packed:
    """Return a memory in the form in which it is sent.

    Raises:
        InvalidContent: PostgreSQL would refuse it.
    """
    content, metadata = checked_json(memory)
    # JSON and vectors as bytes that are already binary: so no type has to be made known to the user's connection.
    written = {"content": JSONB + content, "metadata": JSONB + metadata}
    row: dict[str, Any] = {
        field.name: written.get(field.name) or _value(field, memory, connection) for field in _fields()
    }
    return Packed(row["id"], row["agent"], tuple(row.values()), vector)


def _value(field: "Field[Any, Any]", memory: "Memory", connection: BaseDatabaseWrapper) -> Any:
    try:
        value = field.get_db_prep_save(field.pre_save(memory, add=True), connection)
    except ValidationError as error:
        raise InvalidContent(f"{field.name}: {' '.join(error.messages)}") from error
    if hasattr(value, "resolve_expression"):  # psycopg would send it as nonsense
        raise InvalidContent(f"{field.name} is an expression, which COPY does not evaluate: give a value.")
    if value is None and not field.null:
        raise InvalidContent(f"{field.name} is None: leave it out, or give a value.")
    return _aware(value)


def _aware(value: Any) -> Any:
    """Return a time as a binary COPY takes it. Without USE_TZ, Django's have no zone, and TIME_ZONE is meant."""
    if isinstance(value, datetime.datetime) and timezone.is_naive(value):
        return timezone.make_aware(value, timezone.get_default_timezone())
    return value


def write(rows: Sequence[Packed], model: str | None, connection: BaseDatabaseWrapper) -> set[UUID]:
    """Write the rows whose ids are new, and their vectors, in the transaction that is open; return those ids."""
    new = _memories(rows, connection)
    vectors, left = [], set(new)
    for row in rows:
        if row.vector is not None and row.id in left:
            vectors.append(row)
        left.discard(row.id)  # the first of two with one id is the one that was written
    if vectors:
        _embeddings(vectors, model, connection)
    return new


def _memories(rows: Iterable[Packed], connection: BaseDatabaseWrapper) -> set[UUID]:
    quote = connection.ops.quote_name
    table, columns = quote("memories"), [quote(str(field.column)) for field in _fields()]
    names = ", ".join(columns)
    waiting = quote("core_tables_incoming")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {waiting} (LIKE {table}) ON COMMIT DROP")
        types = [TYPES[field.get_internal_type()] for field in _fields()]
        _copy(cursor, f"{waiting} ({names})", types, (row.row for row in rows))
        # In the order of their ids, or two writers of the same ones could wait for each other.
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM {waiting} ORDER BY id "
            "ON CONFLICT DO NOTHING RETURNING id"
        )
        new = {key for (key,) in cursor.fetchall()}
        cursor.execute(f"DROP TABLE {waiting}")
    return new


def _embeddings(rows: Sequence[Packed], model: str | None, connection: BaseDatabaseWrapper) -> None:
    """Nothing can be in the way: the memories are new, and nobody else sees them yet."""
    now = _aware(timezone.now())
    found = sorted({row.vector.dimensions() for row in rows if row.vector is not None})
    columns = ["id", "memory_id", "agent_id", "model", "created_at", "updated_at"]
    types = ["uuid", "uuid", "uuid", "text", "timestamptz", "timestamptz"] + ["bytea"] * len(found)
    names = ", ".join([*columns, *(column_for(width).name for width in found)])
    with connection.cursor() as cursor:
        values = (
            (uuid4(), row.id, row.agent_id, model, now, now, *_across(row.vector, found))
            for row in rows
            if row.vector is not None
        )
        _copy(cursor, f"{connection.ops.quote_name('embeddings')} ({names})", types, values)


def _across(vector: Vector, widths: Iterable[int]) -> list[bytes | None]:
    binary, own = vector.to_binary(), vector.dimensions()
    return [binary if width == own else None for width in widths]


def _copy(cursor: Any, target: str, types: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with cursor.db.wrap_database_errors, cursor.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def _fields() -> "tuple[Field[Any, Any], ...]":
    return tuple(apps.get_model("core_tables", "Memory")._meta.concrete_fields)
