"""Each vector column can be made, and indexed, with the dimensions it has.

Source of the numbers: pgvector's README, "HNSW" and "IVFFlat" under "Indexing" (vector up to 2,000 dimensions, halfvec
4,000, bit 64,000) and "Reference" (both types up to 16,000 dimensions). A sparsevec's limit is of its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error
from django.db import connections

from agentsql.checks.project import aliases, plugins, tables
from agentsql.checks.vectors import TYPES, Part, columns, parts, width
from agentsql.extensions import base_type

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

INDEXED = {"vector": 2_000, "halfvec": 4_000, "bit": 64_000}
WIDEST = {"vector": 16_000, "halfvec": 16_000}
NARROWER = "Use an embedding model of fewer dimensions"


def check(asked: Iterable[AppConfig] | None = None) -> Iterator[CheckMessage]:
    for model in (model for config in plugins(asked) for model in tables(config)):
        for alias in aliases(model)[:1]:  # the types are the same on all
            yield from wide_columns(model, connections[alias])
            yield from wide_indexes(model, connections[alias])


def wide_columns(model: type[Model], connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    for field, text in columns(model, connection):
        most = WIDEST.get(base_type(text))
        if most is not None and (width(text) or 0) > most:
            yield Error(
                f"The column is {text}; pgvector's {base_type(text)} has at most {most:,} dimensions.",
                hint=f"{NARROWER}, or split the vector over several columns.",
                obj=field,
                id="agentsql.E007",
            )


def wide_indexes(model: type[Model], connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    for part in parts(model, connection):
        kind, wide = base_type(part.type), width(part.type)
        if wide is None and kind not in TYPES:
            continue
        if wide is None:
            yield _error(model, part, "no dimensions", f"Give {part.name!r} dimensions, or take the index away.")
        elif wide > INDEXED.get(kind, wide):
            many = f"{wide:,} dimensions, and {part.method} takes {INDEXED[kind]:,} of a {kind} at most"
            yield _error(model, part, many, _remedy(part, kind, wide))


def _error(model: type[Model], part: Part, fault: str, hint: str) -> CheckMessage:
    message = f"The index {part.index_name!r} can't be made: {part.name!r} has {fault}."
    return Error(message, hint=hint, obj=model, id="agentsql.E007")


def _remedy(part: Part, kind: str, wide: int) -> str:
    if kind == "vector" and wide <= INDEXED["halfvec"]:
        cast = f'OpClass(Cast("{part.name}", HalfVectorField(dimensions={wide})), name="{_half(part.opclass)}")'
        return f"Index it as halfvec, and cast likewise in searches: {cast}. Or take the index away."
    return f"{NARROWER}, or take the index away."


def _half(opclass: str) -> str:
    """Return the operator class of halfvec that measures as the given one of vector does."""
    return opclass.replace("vector_", "halfvec_") if opclass.startswith("vector_") else "halfvec_l2_ops"
