"""Why a missing object can't be made: each hazard is a function that refuses keys, with the finding to show. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentsql import findings
from agentsql.defaults import UnknownDefault, fills_rows, is_constant, standing_default
from agentsql.names import TableName
from agentsql.schema import Column, Constraint, Extension, Index, Key, Kind, SchemaObject, Table

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

    from agentsql.desired import Draft
    from agentsql.diff import Diff
    from agentsql.editor import DryRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What decisions need to know of the database beyond the schema.

    populated: existing tables that hold rows. extensions: those the server can install, and whether only a superuser
    may. taken: relation names in use where we would create, with what they name.
    """

    user: str
    superuser: bool
    may_create_in_database: bool
    populated: Collection[TableName] = frozenset()
    extensions: Mapping[str, bool]
    taken: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a decision looks at."""

    diff: Diff
    draft: Draft
    actual: Mapping[Key, SchemaObject]
    conditions: Conditions
    editor: DryRun

    def exists(self, table: TableName) -> bool:
        return Key(table, Kind.TABLE) in self.actual


Refusal = tuple[Key, "CheckMessage"]


def refusals(now: Situation) -> Iterator[Refusal]:
    """Yield every key that is refused outright; a TABLE key refuses all that is missing of that table."""
    for hazard in (foreign_relation, foreign_owner, other_primary_key, extensions, columns, targets, names):
        yield from hazard(now)


def foreign_relation(now: Situation) -> Iterator[Refusal]:
    for key in now.draft.objects:
        found = now.actual.get(key)
        if isinstance(found, Table) and found.relkind not in {"r", "p"}:
            yield key, findings.not_a_table(found)


def other_primary_key(now: Situation) -> Iterator[Refusal]:
    for key, (wanted, found) in now.diff.shared.items():
        if not (isinstance(wanted, Constraint) and isinstance(found, Constraint)):
            continue
        if key.kind is Kind.PRIMARY_KEY and set(wanted.columns) != set(found.columns):
            yield Key(key.table, Kind.TABLE), findings.primary_key_differs(wanted, found)


def foreign_owner(now: Situation) -> Iterator[Refusal]:
    for key in now.diff.missing:
        found = now.actual.get(Key(key.table, Kind.TABLE))
        if isinstance(found, Table) and not found.owned:
            yield key, findings.not_owner(key.table, now.conditions.user)


def extensions(now: Situation) -> Iterator[Refusal]:
    for key, item in now.diff.missing.items():
        if isinstance(item, Extension):
            needs_superuser = now.conditions.extensions.get(item.name)
            allowed = now.conditions.superuser or (now.conditions.may_create_in_database and not needs_superuser)
            if needs_superuser is None:
                yield key, findings.extension_unavailable(item.name)
            elif not allowed:
                yield key, findings.extension_forbidden(item.name, now.conditions.user)


def columns(now: Situation) -> Iterator[Refusal]:
    for key, item in now.diff.missing.items():
        if isinstance(item, Column) and key.table in now.conditions.populated:
            field = now.draft.origins[key].source
            try:
                default = standing_default(field, now.editor)
            except UnknownDefault:
                yield key, findings.volatile_default(item)
            else:
                if not fills_rows(field, default):
                    yield key, findings.no_default(item)
                elif field.unique and is_constant(default):
                    yield key, findings.one_value_for_all(item)


def targets(now: Situation) -> Iterator[Refusal]:
    for key, item in now.diff.missing.items():
        if isinstance(item, Constraint) and item.target is not None:
            table = Key(item.target, Kind.TABLE)
            if table not in now.actual and table not in now.diff.missing:
                model = now.draft.origins[key].source.target_field.model
                yield key, findings.target_missing(key, item.target, model)


def names(now: Situation) -> Iterator[Refusal]:
    for key, item in now.diff.missing.items():
        if not isinstance(item, Index):
            continue
        known = now.actual.get(key)
        if isinstance(known, Index) and not known.valid:
            yield key, findings.invalid_index(key, item.name)
        elif not key.table.namespace and item.name in now.conditions.taken:
            yield key, findings.name_taken(key, item.name, now.conditions.taken[item.name])
