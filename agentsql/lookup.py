"""What goes by a name, among all that models want and their tables have; names are matched generously. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from agentsql.exceptions import AgentSQLError
from agentsql.names import TableName
from agentsql.schema import Constraint, Index, Key, Kind, SchemaObject, Table

if TYPE_CHECKING:
    from agentsql.situation import Situation

NEAR = 3  # names to suggest, as alike as this
LIKENESS = 0.75


def every(now: Situation) -> list[Key]:
    """Return all that the models want, and what else their tables have."""
    return [*now.draft.objects, *(key for key in now.diff.extra if key.table in now.draft.contents)]


def named(name: str, now: Situation) -> list[Key]:
    """Return the keys that go by a name, a table with its contents, each table's in the order of creation.

    Raises:
        AgentSQLError: nothing has that name.
    """
    keys = every(now)
    spelled = {key: {_spelled(one): one for one in names_of(key, now)} for key in keys}
    wanted = _spelled(name)
    found = {key for key in keys if wanted in spelled[key]}
    if not found:
        raise AgentSQLError(f"Nothing of the plugins' schema is called {name!r}. {_advice(wanted, spelled)}")
    tables = [key.table for key in keys if key in found and key.kind is Kind.TABLE]
    chosen = [key for key in keys if key in found or key.table in tables]
    places = {table: place for place, table in enumerate(dict.fromkeys(key.table for key in chosen))}
    return sorted(chosen, key=lambda key: (places[key.table], key.kind))


def _spelled(name: str) -> str:
    bare = re.sub(r"\s*([(),])\s*", r"\1", name.replace('"', "").strip())
    return " ".join(bare.split()).casefold()


def names_of(key: Key, now: Situation) -> Iterator[str]:
    """Yield what an object may be called."""
    yield str(key)
    table, origin = key.table, now.draft.origins.get(key)
    home = now.actual.get(Key(table, Kind.TABLE))
    if isinstance(home, Table) and home.schema and not table.namespace:
        yield str(key._replace(table=TableName(home.schema, table.name)))
    label = origin.model._meta.label if origin is not None and origin.model is not None else ""
    if key.kind is Kind.TABLE:
        yield from filter(None, (table.name, label))
    elif key.kind is Kind.COLUMN:
        yield f"{table.name}.{key.identity[0]}"
        if origin is not None and label:
            yield f"{label}.{origin.source.name}"
    else:
        for item in _sides(key, now):
            if own := own_name(item, now):
                yield from (own, f"{table}.{own}", str(TableName(table.namespace, own)))
                yield str(Key(table, key.kind, (own,)))


def _advice(wanted: str, spelled: Mapping[Key, Mapping[str, str]]) -> str:
    known = {short: (key, name) for key, called in spelled.items() for short, name in called.items()}
    near = [short for short in known if short.endswith(f".{wanted}")]
    near = near or get_close_matches(wanted, known, n=NEAR, cutoff=LIKENESS)
    told = dict(reversed([known[short] for short in near]))  # of the names of one object, the first
    if not told:
        return "Name a table, a column (table.column), an index, a constraint or a model (app.Model)."
    return f"Did you mean {' or '.join(repr(name) for name in [*reversed(told.values())][:NEAR])}?"


def _sides(key: Key, now: Situation) -> list[SchemaObject]:
    """Return what is wanted and what is found of an object, the wanted one first."""
    pair = (now.draft.objects.get(key), found_as(key, now))
    return [item for item in pair if item is not None]


def found_as(key: Key, now: Situation) -> SchemaObject | None:
    if key in now.diff.shared:
        return now.diff.shared[key][1]
    return now.diff.begun.get(key) or now.diff.extra.get(key)


def own_name(item: SchemaObject, now: Situation) -> str:
    """Return the name of an object: for a wanted foreign key without one, what the editor would call it."""
    if isinstance(item, Constraint | Index):
        return item.name or (now.name(item) if item.key in now.draft.objects else "")
    return item.key.identity[0] if item.key.identity else item.key.table.name
