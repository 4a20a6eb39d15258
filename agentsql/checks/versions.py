"""The database's pgvector is new enough for what plugins' models use.

Source: pgvector's CHANGELOG.md. 0.5.0 "Added HNSW index type"; 0.7.0 "Added `halfvec` type", "Added `sparsevec` type",
"Added support for indexing `bit` type", "Added support for indexing L1 distance with HNSW".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from django.core.checks import CheckMessage, Error

from agentsql.checks.vectors import columns, parts
from agentsql.extensions import base_type
from agentsql.server import rows

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

HNSW = "0.5.0"
MORE_TYPES = "0.7.0"
NEW_TYPES = frozenset({"halfvec", "sparsevec", "bit"})
SHOWN = 5  # of many uses, in one sentence
ASK = """
SELECT (SELECT extversion FROM pg_extension WHERE extname = 'vector'),
       (SELECT default_version FROM pg_available_extensions WHERE name = 'vector')
"""


class Use(NamedTuple):
    """Something of pgvector's that a model uses, and the version it came with."""

    what: str
    since: str


def uses(model: type[Model], connection: BaseDatabaseWrapper) -> Iterator[Use]:
    """Yield what a model uses that pgvector has not always had."""
    for field, text in columns(model, connection):
        if base_type(text) in NEW_TYPES:
            yield Use(f"{base_type(text)} of {field}", MORE_TYPES)
    for part in parts(model, connection):
        family = part.opclass.split("_")[0]
        if {family, base_type(part.type)} & NEW_TYPES or part.opclass == "vector_l1_ops":
            yield Use(f"{part.opclass or base_type(part.type)} of the index {part.index_name}", MORE_TYPES)
        elif part.method == "hnsw":
            yield Use(f"hnsw of the index {part.index_name}", HNSW)


def old_pgvector(models: Iterable[type[Model]], connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    """Ask the database, where a model uses anything at all."""
    used = [use for model in models for use in uses(model, connection)]
    if used:
        installed, available = rows(connection, ASK)[0]
        yield from outdated(used, installed, available, connection.alias)


def outdated(used: Iterable[Use], installed: str | None, available: str | None, alias: str) -> Iterator[CheckMessage]:
    """Compare with the version that is installed, or would be; where there is none, a finding of the run tells."""
    version = installed or available
    lacking = [use for use in used if version and _number(use.since) > _number(version)]
    if not lacking:
        return
    needed = max((use.since for use in lacking), key=_number)
    some = ", ".join(use.what for use in lacking[:SHOWN])
    more = f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
    update = "ALTER EXTENSION vector UPDATE;"
    if installed and available and _number(available) >= _number(needed):
        hint = f"The server has {available}. As an administrator, in this database: {update}"
    else:
        then = f", then run in this database: {update}" if installed else "."
        hint = f"Upgrade pgvector's package on the server's machine to {needed} or newer{then}"
    yield Error(
        f"pgvector {version} of the database {alias!r} is too old; the models need {needed} for: {some}{more}.",
        hint=hint,
        obj="extension vector",
        id="agentsql.E102",
    )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
