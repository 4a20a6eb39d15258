"""Why a missing object can't be made: each hazard is a function that refuses keys, with the finding to show. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

from django.db import router
from django.db.models import BaseConstraint, Field, UniqueConstraint
from django.db.models import Index as DeclaredIndex

from agentsql import findings
from agentsql.defaults import UnknownDefault, fills_rows, has_value, standing_default
from agentsql.extensions import family
from agentsql.forms import ADDED_TO_TABLES, plain
from agentsql.names import TableName
from agentsql.schema import Column, Constraint, Extension, Index, Key, Kind, SchemaObject, Table
from agentsql.situation import Situation

if TYPE_CHECKING:
    from django.core.checks import CheckMessage


Refusal = tuple[Key, "CheckMessage"]


def refusals(now: Situation) -> Iterator[Refusal]:
    """Yield every key that is refused outright; a TABLE key refuses all that is missing of that table.

    Of a table that is somebody else's nothing more is told.
    """
    refused = list(strangers(now))
    yield from refused
    strange = {key.table for key, _ in refused}
    for hazard in HAZARDS:
        yield from ((key, finding) for key, finding in hazard(now) if key.table not in strange)


def strangers(now: Situation) -> Iterator[Refusal]:
    """Yield the tables that are somebody else's: nothing is done to them, and one thing is told of each."""
    found: dict[TableName, Refusal] = {}
    for sign in SIGNS:
        for key, finding in sign(now):
            found.setdefault(key.table, (key, finding))
    yield from found.values()


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


def other_key_type(now: Situation) -> Iterator[Refusal]:
    """Refuse a key of another family of types, to which no key of ours could point."""
    for key, (wanted, found) in now.diff.shared.items():
        if isinstance(wanted, Column) and isinstance(found, Column):
            primary = now.draft.objects.get(Key(key.table, Kind.PRIMARY_KEY))
            ours = isinstance(primary, Constraint) and key.identity[0] in primary.columns
            families = {family(wanted.type), family(found.type)}
            if ours and "" not in families and len(families) > 1:
                yield Key(key.table, Kind.TABLE), findings.primary_key_type_differs(wanted, found)


def no_key_column(now: Situation) -> Iterator[Refusal]:
    """Refuse a table without the column of our key, but with columns that no model knows."""
    for key, wanted in now.draft.objects.items():
        if key.kind is Kind.PRIMARY_KEY and isinstance(wanted, Constraint) and now.exists(key.table):
            lacking = [name for name in wanted.columns if Key(key.table, Kind.COLUMN, (name,)) in now.diff.missing]
            strange = any(other.table == key.table and other.kind is Kind.COLUMN for other in now.diff.extra)
            if lacking and strange:
                yield Key(key.table, Kind.TABLE), findings.key_column_lacking(wanted, lacking)


def types(now: Situation) -> Iterator[Refusal]:
    """Refuse a table whose row type could not have its name."""
    for key in now.diff.missing:
        what = now.conditions.types.get(key.table) if key.kind is Kind.TABLE else None
        if what is not None:
            yield key, findings.type_in_its_place(key.table, what)


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
        if isinstance(item, Column) and now.in_use(key.table) and key not in now.diff.begun:
            field = now.draft.origins[key].source
            try:
                default = standing_default(field, now.editor)
            except UnknownDefault:
                yield key, findings.volatile_default(item)
            else:
                if not fills_rows(field, default):
                    yield key, findings.no_default(item)
                elif field.unique and has_value(field, default) and not now.is_volatile(key):
                    yield key, findings.one_value_for_all(item)


def rewrites(now: Situation) -> Iterator[Refusal]:
    for key, item in now.diff.missing.items():
        if key.kind in ADDED_TO_TABLES and now.in_use(key.table) and not now.conditions.allow_rewrite:
            with suppress(UnknownDefault):  # the hazard above tells of it
                if now.rewrites(key):
                    size, sql = now.conditions.populated[key.table], list(plain(item, now))
                    online = replace(now, conditions=replace(now.conditions, atomic=False))
                    only_here = not online.rewrites(key)
                    yield key, findings.needs_rewrite(item, size, sql, only_here=only_here)


def partitions(now: Situation) -> Iterator[Refusal]:
    for key, item in now.diff.missing.items():
        parts = now.conditions.partitions.get(key.table, ())
        foreign = next((part.table for part in parts if part.relkind == "f"), None)
        if foreign is not None and _reaches_into_partitions(key, now):
            yield key, findings.foreign_partition(key, foreign)
        elif isinstance(item, Index | Constraint) and _is_unique(key, now):
            lacking = set(now.conditions.partition_keys.get(key.table, ())) - set(item.columns)
            if lacking:
                yield key, findings.lacks_partition_key(key, sorted(lacking))


def _is_unique(key: Key, now: Situation) -> bool:
    declared = isinstance(now.draft.origins[key].source, UniqueConstraint)  # maybe an index to the server
    return key.kind in {Kind.UNIQUE, Kind.PRIMARY_KEY} or declared


def _reaches_into_partitions(key: Key, now: Situation) -> bool:
    """Tell whether a form works on each partition, not only on the parent."""
    if key.kind is Kind.COLUMN:
        with suppress(UnknownDefault):
            return now.in_use(key.table) and key not in now.diff.begun and now.is_volatile(key)
    return key.kind not in {Kind.TABLE, Kind.COLUMN, Kind.CHECK}


def targets(now: Situation) -> Iterator[Refusal]:
    alias = now.editor.connection.alias
    waiting = []
    for key, item in now.diff.missing.items():
        if isinstance(item, Constraint) and item.target is not None:
            table = Key(item.target, Kind.TABLE)
            if table not in now.actual and table not in now.diff.missing:
                model = now.draft.origins[key].source.target_field.model
                if router.allow_migrate_model(alias, model):
                    waiting.append((key, item.target, model))
                else:
                    yield key, findings.target_elsewhere(key, item.target, model, alias)
    for key, *_ in waiting:
        yield key, findings.targets_missing(waiting, alias)


def references(now: Situation) -> Iterator[Refusal]:
    """Refuse keys to what this role may not refer to, or between types that can't be equal."""
    strange = {key.table for key, _ in strangers(now)}
    for key, item in now.diff.missing.items():
        if not isinstance(item, Constraint) or item.target is None or item.target in strange:
            continue
        target = now.actual.get(Key(item.target, Kind.TABLE))
        if isinstance(target, Table) and not target.referable:
            yield key, findings.not_referable(key, item.target, now.conditions.user)
        ends = zip(
            _columns(item.table, item.columns, now), _columns(item.target, item.target_columns, now), strict=True
        )
        for here, there in ends:
            if here and there and not _are_comparable(here.type, there.type):
                yield key, findings.key_types_differ(key, here, there)


def _columns(table: TableName, names: Iterable[str], now: Situation) -> Iterator[Column | None]:
    """Yield columns as they are, or will be."""
    for key in (Key(table, Kind.COLUMN, (name,)) for name in names):
        column = now.actual.get(key) or now.draft.objects.get(key)
        yield column if isinstance(column, Column) else None


def _are_comparable(one: str, other: str) -> bool:
    """Tell whether two types may be equal; of types that are not built in, nobody knows here."""
    families = {family(one), family(other)}
    return "" in families or len(families) == 1 or families == {"integer", "number"}


def builds(now: Situation) -> Iterator[Refusal]:
    for key, item in now.diff.missing.items():
        if makes_index(item, now) and item.name in now.conditions.building:
            yield key, findings.being_built(key, item.name, now.conditions.building[item.name])


def names(now: Situation) -> Iterator[Refusal]:
    for key, item in now.diff.missing.items():
        begun = now.diff.begun.get(key)
        ours = (
            isinstance(begun, Index | Constraint) and isinstance(item, Index | Constraint) and begun.name == item.name
        )
        if makes_index(item, now) and not ours and not _looks_renamed(key.table, now):
            holder = now.conditions.taken.get(now.beside(key.table, item.name))
            if holder is not None:
                yield key, findings.name_taken(key, item.name, holder, declared=_is_declared(key, now))


def constraint_names(now: Situation) -> Iterator[Refusal]:
    """Refuse a name that another constraint of the table has, whatever that is."""
    held = {(item.table, item.name): item for item in now.actual.values() if isinstance(item, Constraint)}
    for key, item in now.diff.missing.items():
        if not isinstance(item, Constraint) or not isinstance(now.draft.origins[key].source, BaseConstraint):
            continue  # the server picks a free name
        holder = held.get((key.table, item.name))
        if holder is not None and holder is not now.diff.begun.get(key):
            words = f"another constraint of that table, the {holder.key}"
            yield key, findings.name_taken(key, item.name, words, declared=True)


def makes_index(item: SchemaObject, now: Situation) -> TypeGuard[Index | Constraint]:
    """Tell whether we give an index its name; for a key or unique field, made at once, the server finds a free one."""
    if not isinstance(item, Constraint):
        return isinstance(item, Index)
    by_itself = now.in_use(item.table) or item.table in now.conditions.partitions
    if item.kind is Kind.UNIQUE:
        return by_itself or not isinstance(now.draft.origins[item.key].source, Field)
    return item.kind is Kind.EXCLUSION or (item.kind is Kind.PRIMARY_KEY and by_itself)


def _is_declared(key: Key, now: Situation) -> bool:
    """Tell whether the model names an object itself."""
    return isinstance(now.draft.origins[key].source, BaseConstraint | DeclaredIndex)


def _looks_renamed(table: TableName, now: Situation) -> bool:
    """Tell whether a table waits for a word, and all that is on it with it."""
    return now.conditions.rename_guess and Key(table, Kind.TABLE) in now.conditions.lookalikes


def renames(now: Situation) -> Iterator[Refusal]:
    """Yield what may be there under another name; last, because of all that is wrong with it this tells the most."""
    for key, others in now.conditions.lookalikes.items() if now.conditions.rename_guess else ():
        item = now.diff.missing[key]
        if isinstance(item, Column):
            yield key, findings.column_renamed(item, others)
        else:
            yield key, findings.table_renamed(key.table, others)


SIGNS = (foreign_relation, other_primary_key, other_key_type, no_key_column, types)
HAZARDS = (
    foreign_owner,
    constraint_names,
    extensions,
    columns,
    rewrites,
    partitions,
    targets,
    references,
    builds,
    names,
    renames,
)
