"""What the database lacks: three operations on dictionary views, after names have been reconciled. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from agentsql.names import TableName
from agentsql.schema import Constraint, Index, Key, Kind, Schema, SchemaObject, Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """missing: desired objects the database lacks; shared: (desired, actual) pairs; extra: what models don't know."""

    missing: Mapping[Key, SchemaObject]
    shared: Mapping[Key, tuple[SchemaObject, SchemaObject]]
    extra: Mapping[Key, SchemaObject]


def diff(desired: Schema, actual: Schema) -> Diff:
    """Compare two schemas."""
    actual = recognise(desired, actual)
    return Diff(
        missing={key: item for key, item in desired.items() if key not in actual},
        shared={key: (item, actual[key]) for key, item in desired.items() if key in actual},
        extra={key: item for key, item in actual.items() if key not in desired},
    )


def recognise(desired: Schema, actual: Schema) -> dict[Key, SchemaObject]:
    """Give actual objects the desired names they go by elsewhere.

    An index is known by name first and by structure second, a unique constraint also as a full unique index, and the
    check that comes with a column by that column: tools and servers name them differently.
    """
    # An index that CREATE INDEX CONCURRENTLY left invalid serves no query and holds no promise.
    result = {key: item for key, item in actual.items() if not isinstance(item, Index) or item.valid}
    strangers = _strangers(desired, actual)
    for key, item in desired.items():
        if key in result:
            continue
        for candidate in strangers.get(key.table, ()):
            if candidate.key in result and _same(item, candidate):
                del result[candidate.key]
                result[key] = candidate
                break
    return result


def _strangers(desired: Schema, actual: Schema) -> Mapping[TableName, list[Index | Constraint]]:
    """Return, by table, the indexes and checks that no desired object claims by its name."""
    strangers: dict[TableName, list[Index | Constraint]] = defaultdict(list)
    for key, item in actual.items():
        if key.kind in {Kind.INDEX, Kind.CHECK} and key not in desired and isinstance(item, Index | Constraint):
            strangers[key.table].append(item)
    return strangers


def _same(wanted: SchemaObject, found: Index | Constraint) -> bool:
    if isinstance(found, Index):
        structure = _structure(wanted)
        return structure is not None and structure == found.structure
    return (
        isinstance(wanted, Constraint)
        and wanted.kind is Kind.CHECK
        and wanted.columns == found.columns != ()
        and (found.name == wanted.name or squeeze(wanted.expression) == squeeze(found.expression))
    )


def _structure(wanted: SchemaObject) -> Structure | None:
    if isinstance(wanted, Index):
        return wanted.structure
    if isinstance(wanted, Constraint) and wanted.kind is Kind.UNIQUE and not wanted.deferrable:
        width = len(wanted.columns)
        return Structure(
            "btree",
            wanted.columns,
            ("",) * width,
            (0,) * width,
            unique=True,
            nulls_distinct=wanted.nulls_distinct,
        )
    return None


def squeeze(expression: str) -> str:
    """Reduce a simple condition to what both sides print alike: no casts, brackets, quotes or blanks."""
    return re.sub(r"::[a-z ]+|[\s()\"']", "", expression).lower()
