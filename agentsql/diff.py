"""What the database lacks: three operations on dictionary views, after names have been reconciled. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from agentsql.names import TableName
from agentsql.schema import Constraint, Index, Key, Kind, Schema, SchemaObject, Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """missing: desired objects the database lacks; shared: (desired, actual) pairs; extra: what models don't know.

    begun: of the missing objects, what an interrupted run left of them: an invalid index, a constraint that was never
    validated, a column that is not filled, the unique index that was to become a constraint.
    """

    missing: Mapping[Key, SchemaObject]
    shared: Mapping[Key, tuple[SchemaObject, SchemaObject]]
    extra: Mapping[Key, SchemaObject]
    begun: Mapping[Key, SchemaObject]


def diff(desired: Schema, actual: Schema) -> Diff:
    """Compare two schemas."""
    strangers = _strangers(desired, actual)
    known = _recognise(desired, actual, strangers)
    missing = {key: item for key, item in desired.items() if key not in known}
    begun = {key: _begun(item, actual, strangers) for key, item in missing.items()}
    return Diff(
        missing=missing,
        shared={key: (item, known[key]) for key, item in desired.items() if key in known},
        extra={key: item for key, item in known.items() if key not in desired},
        begun={key: item for key, item in begun.items() if item is not None},
    )


Strangers: TypeAlias = Mapping[TableName, list[Index | Constraint]]


def _strangers(desired: Schema, actual: Schema) -> Strangers:
    """Return, by table, the indexes and checks that no desired object claims by its name."""
    strangers: dict[TableName, list[Index | Constraint]] = defaultdict(list)
    for key, item in actual.items():
        if key.kind in {Kind.INDEX, Kind.CHECK} and key not in desired and isinstance(item, Index | Constraint):
            strangers[key.table].append(item)
    return strangers


def _recognise(desired: Schema, actual: Schema, strangers: Strangers) -> dict[Key, SchemaObject]:
    """Give actual objects the desired names they go by elsewhere; what is not complete does not count.

    An index is known by name first and by structure second, a unique constraint also as a full unique index, and the
    check that comes with a column by that column: tools and servers name them differently.
    """
    result = {key: item for key, item in actual.items() if item.complete}
    for key, item in desired.items():
        if key in result:
            continue
        for candidate in strangers.get(key.table, ()):
            if candidate.key in result and _stands_for(item, candidate):
                del result[candidate.key]
                result[key] = candidate
                break
    return result


def _stands_for(wanted: SchemaObject, found: Index | Constraint) -> bool:
    """Tell whether an object under another name does the work of the wanted one.

    An index is not deferrable, and one with a constraint's own name is the first half of making that constraint.
    """
    if isinstance(wanted, Constraint) and isinstance(found, Index):
        half = wanted.name == found.name
        return wanted.kind is Kind.UNIQUE and not (half or wanted.deferrable) and _same(wanted, found)
    return _same(wanted, found)


def _begun(wanted: SchemaObject, actual: Schema, strangers: Strangers) -> SchemaObject | None:
    """Return what there is of a missing object."""
    for candidate in strangers.get(wanted.key.table, ()):
        half = isinstance(wanted, Constraint) and (isinstance(candidate, Constraint) or wanted.name == candidate.name)
        if half and _same(wanted, candidate):
            return candidate
    return actual.get(wanted.key)


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
    if isinstance(wanted, Constraint) and wanted.kind in {Kind.UNIQUE, Kind.PRIMARY_KEY}:
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
