"""A list of memories and a list of their vectors, checked before anything is sent; errors say which one is meant."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from core_tables import text_limit
from core_tables.embeddings.copying import Packed, packed, write
from core_tables.embeddings.widths import checked
from core_tables.exceptions import MemoryStoreError

if TYPE_CHECKING:
    from core_tables.models import Memory


def add_all(memories: Iterable["Memory"], vectors: Iterable[Any] | None, model: str | None, using: str) -> int:
    """Write memories and vectors in one transaction; return how many of them were new.

    Raises:
        ValueError: there are not as many vectors as memories.
        MemoryStoreError: one of them can't be written; the message begins with its place and its id.
    """
    every = list(memories)
    given: list[Any] = [None] * len(every) if vectors is None else list(vectors)
    if len(given) != len(every):
        raise ValueError(f"{len(every)} memories have {len(given)} vectors: give one for each, or None.")
    connection = connections[using]
    rows = [_packed(place, *pair, connection) for place, pair in enumerate(zip(every, given, strict=True))]
    if not rows:
        return 0
    try:
        with transaction.atomic(using=using):
            new = write(rows, model, connection)
    except OperationalError as error:
        if text_limit.is_too_large(error):
            for place, memory in enumerate(every):
                if text_limit.is_long(memory):
                    text_limit.check(str(memory.content["text"]), _which(place, memory), using)
        raise
    for memory in every:
        memory._state.adding, memory._state.db = False, using
    return len(new)


def _packed(place: int, memory: "Memory", vector: Any, connection: BaseDatabaseWrapper) -> Packed:
    try:
        return packed(memory, None if vector is None else checked(vector), connection)
    except MemoryStoreError as error:
        raise type(error)(f"{_which(place, memory)}{error}") from error


def _which(place: int, memory: "Memory") -> str:
    return f"memories[{place}] (id {memory.pk}): "
