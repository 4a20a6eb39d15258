"""What stands on the models' tables and no model knows: constraints, indexes, row level security, rules.

Most of it is information; what may refuse or change what the models write is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING

from django.core.checks import CheckMessage, Info, Warning  # noqa: A004 Django's names for them

from agentsql.brevity import shorten
from agentsql.comparison import place_of
from agentsql.details import ConstraintDetail, IndexDetail, Place, TableDetail
from agentsql.indexes import dropping_index, index_place, index_text
from agentsql.names import TableName, fill_name, quoted
from agentsql.schema import Constraint, Index, Key, Kind, Table

if TYPE_CHECKING:
    from agentsql.examination import Examination
    from agentsql.situation import Situation

# What a foreign key does, by pg_constraint's letters.
DOING = {"c": "deletes rows", "n": "writes NULL into rows", "d": "writes defaults into rows"}
REINDEXED = re.compile(r"_cc(new|old)\d*$")  # what REINDEX CONCURRENTLY leaves: PostgreSQL's documentation of REINDEX
KEY_PREFIX = "agentsql_key_"  # of the checks by which a run makes a primary key's columns NOT NULL
BACKED = {Kind.PRIMARY_KEY, Kind.UNIQUE, Kind.EXCLUSION}  # constraints that are an index of their name


def findings(now: Situation, seen: Examination, tables: Mapping[TableName, Table]) -> Iterator[CheckMessage]:
    """Yield a finding for each thing on these tables."""
    yield from constraints(now, seen, tables)
    yield from indexes(now, seen, tables)
    for table in sorted(tables):
        detail = seen.found.get((table, Kind.TABLE, ""))
        if isinstance(detail, TableDetail):
            yield from _guards(table, detail)


def _guards(table: TableName, detail: TableDetail) -> Iterator[CheckMessage]:
    """Tell of what lets an INSERT do something else, or a SELECT see less."""
    if detail.row_security:
        effect = (
            f"its policies ({detail.policies}) say which" if detail.policies else "no policy lets it see or write any"
        )
        yield (Info if detail.policies else Warning)(
            f"Table {table} has row level security ({detail.row_security}): a role that it holds for sees and writes "
            f"only some rows; {effect}.",
            hint=f"If nobody needs it: ALTER TABLE {table.quoted} DISABLE ROW LEVEL SECURITY;",
            obj=str(table),
            id="agentsql.D126",
        )
    for rule in detail.rules:
        yield Warning(
            f"Table {table} has the rule {rule}, which does something else instead of what is written.",
            hint=f"If nobody needs it, other programs included: DROP RULE {quoted(rule)} ON {table.quoted};",
            obj=str(table),
            id="agentsql.D126",
        )


def _known(now: Situation) -> set[Place]:
    """Return the places of what models want, whole or begun."""
    return {place_of(item) for item in (*(found for _, found in now.diff.shared.values()), *now.diff.begun.values())}


def constraints(now: Situation, seen: Examination, tables: Collection[TableName]) -> Iterator[CheckMessage]:
    known = _known(now)
    models = {
        (table, kind, _said(detail.text)): name
        for (table, kind, name), detail in seen.found.items()
        if (table, kind, name) in known and isinstance(detail, ConstraintDetail)
    }
    columns = {place_of(item): item.columns for item in now.actual.values() if isinstance(item, Constraint)}
    for place, detail in sorted(seen.found.items(), key=itemgetter(0)):
        table, kind, name = place
        if table in tables and place not in known and isinstance(detail, ConstraintDetail):
            if kind is Kind.CHECK and _is_of_a_run(name, columns.get(place, ()), now, table):
                continue
            twin = models.get((table, kind, _said(detail.text)), "")
            yield _constraint(place, detail, twin, may_refuse=_may_refuse(kind, table, columns.get(place, ()), now))


def _is_of_a_run(name: str, columns: Collection[str], now: Situation, table: TableName) -> bool:
    """Tell whether a check is one by which a run goes about work that it has begun."""
    if name.startswith(KEY_PREFIX):
        return True
    return any(name == fill_name(column) and Key(table, Kind.COLUMN, (column,)) in now.diff.begun for column in columns)


def _may_refuse(kind: Kind, table: TableName, columns: Collection[str], now: Situation) -> bool:
    """Tell whether a constraint may refuse what the models write: not if a key of theirs is as strict, or stricter."""
    if kind in BACKED - {Kind.EXCLUSION} and any(key <= set(columns) for key in _keys(table, now)):
        return False
    return any(Key(table, Kind.COLUMN, (column,)) in now.draft.objects for column in columns)


def _keys(table: TableName, now: Situation) -> Iterator[set[str]]:
    for key, (wanted, _) in now.diff.shared.items():
        if key.table == table and key.kind in {Kind.PRIMARY_KEY, Kind.UNIQUE} and isinstance(wanted, Constraint):
            yield set(wanted.columns)


def _constraint(place: Place, detail: ConstraintDetail, twin: str, *, may_refuse: bool) -> CheckMessage:
    table, kind, name = place
    doing = list(_doing(detail))
    refuses = may_refuse or kind is Kind.FOREIGN_KEY
    effects = [*doing, "It may refuse rows that the models allow." if refuses else "It refuses no row of the models."]
    harmful = bool(doing) or may_refuse
    if detail.text.endswith("NOT ENFORCED"):
        effects, harmful = ["It refuses nothing."], False
    elif twin:
        effects, harmful = [f"It is a copy of {twin}."], False
    return (Warning if harmful else Info)(
        f"Table {table} has the {kind.label} constraint {name}, which is in no model: {shorten(detail.text)}. "
        + " ".join(effects),
        hint=f"If nobody needs it, other programs included: ALTER TABLE {table.quoted} DROP CONSTRAINT {quoted(name)};",
        obj=str(Key(table, kind, (name,))),
        id="agentsql.D123",
    )


def _doing(detail: ConstraintDetail) -> Iterator[str]:
    """Tell what a foreign key does to rows by itself; ON UPDATE CASCADE only keeps them together."""
    if detail.on_delete in DOING:
        yield f"It {DOING[detail.on_delete]} when those they point to are deleted, whatever the models say."
    if detail.on_update in DOING.keys() - {"c"}:
        yield f"It {DOING[detail.on_update]} when the keys they point to change."


def _said(definition: str) -> str:
    """Return a constraint's definition without when it is checked."""
    return definition.partition(" DEFERRABLE")[0]


def indexes(now: Situation, seen: Examination, tables: Mapping[TableName, Table]) -> Iterator[CheckMessage]:
    known = _known(now)
    backing = {(table, name) for table, kind, name in seen.found if kind in BACKED}
    structures: dict[tuple[TableName, IndexDetail], str] = {}
    strange = []
    for place, detail in sorted(seen.found.items(), key=itemgetter(0)):
        table, _, name = place
        if isinstance(detail, IndexDetail) and table in tables:
            of_constraint = (table, name) in backing
            if of_constraint or place in known:
                structures[table, _bare(detail)] = name
                structures[table, replace(_bare(detail), unique=False, nulls_not_distinct=False)] = name
            if not of_constraint and place not in known:
                strange.append((table, name, detail))
    for table, name, detail in strange:
        index = now.actual.get(Key(table, Kind.INDEX, (name,)))
        valid = not isinstance(index, Index) or index.valid
        twin = structures.get((table, _bare(detail)), "")
        columns = index.columns if isinstance(index, Index) else ()
        refuses = detail.unique and ("" in columns or _may_refuse(Kind.UNIQUE, table, columns, now))
        yield _index(tables[table], name, detail, valid=valid, twin=twin, may_refuse=refuses)


def _bare(detail: IndexDetail) -> IndexDetail:
    return replace(detail, storage=frozenset(), tablespace="")


def _index(table: Table, name: str, detail: IndexDetail, *, valid: bool, twin: str, may_refuse: bool) -> CheckMessage:
    effect = "It costs every write" + (", and may refuse rows that the models allow." if may_refuse else ".")
    drop = f"If nobody needs it, other programs included: {dropping_index(table, name)};"
    if twin:
        effect = f"It is a duplicate of {twin}, and costs every write again."
    if not valid:
        effect = "It is invalid: no query uses it, and it costs every write all the same."
        if REINDEXED.search(name) is None:
            drop = f"Build it again: REINDEX INDEX CONCURRENTLY {index_place(table, name).quoted}; or: {drop}"
    return (Warning if not valid or (may_refuse and not twin) else Info)(
        f"Table {table.table} has the index {name}, which is in no model: {shorten(index_text(detail))}. {effect}",
        hint=drop,
        obj=str(Key(table.table, Kind.INDEX, (name,))),
        id="agentsql.D124",
    )
