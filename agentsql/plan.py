"""What to make, in the order in which it can be made. Pure but for rendering, which the editor does without a query.

The order is data: extensions and namespaces, then each table with what is its own, then foreign keys. A foreign key
is always a statement of its own and always last, so cycles between tables need no special care. A step's `requires`
serves failures: what depends on a failed step is left out, and nothing else is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agentsql import findings
from agentsql.forms import actions, locks
from agentsql.hazards import refusals
from agentsql.names import TableName
from agentsql.offenders import offenders
from agentsql.reads import columns_of
from agentsql.schema import Column, Constraint, Index, Key, Kind, SchemaObject
from agentsql.situation import Situation
from agentsql.step import Step
from agentsql.widening import widenings

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

STAGES = {Kind.EXTENSION: 0, Kind.NAMESPACE: 0, Kind.FOREIGN_KEY: 2}  # all else: 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps in order, and the findings that keep other missing objects from being made."""

    steps: tuple[Step, ...]
    findings: tuple[CheckMessage, ...]


def plan(now: Situation) -> Plan:
    """Decide what to make of all that is missing, and what to widen before: later that would meet new indexes."""
    missing = now.diff.missing
    refused = dict(refusals(now))
    needs = {key: frozenset(requirements(key, item, now)) for key, item in missing.items()}
    blocked = _closure(refused, needs)
    now = replace(now, left_out=frozenset(blocked))
    carried = {key for key in missing if _carrier(key, now)}
    changes = list(widenings(now, blocked))
    steps, unreadable = [change for change in changes if isinstance(change, Step)], []
    for key in _ordered(missing, now):
        if key in blocked or key in carried:
            continue
        try:
            steps.append(_step(key, missing[key], now, needs[key]))
        except Exception as error:
            model = now.draft.origins[key].model
            if model is None:
                raise
            unreadable.append((model, error))
            blocked |= _closure([key], needs)
    if now.conditions.atomic and steps:
        first = locks([now.draft.objects[step.key] for step in steps], now)
        steps[0] = replace(steps[0], actions=(first, *steps[0].actions))
    found = [
        *(findings.rival_models(*rival) for rival in now.draft.rivals),
        *(findings.name_twice(*clash) for clash in now.draft.clashes),
        *(findings.model_unreadable(*trouble) for trouble in (*now.draft.unreadable, *unreadable)),
        *refused.values(),
        *(change for change in changes if not isinstance(change, Step)),
    ]
    distinct = {(finding.id, finding.msg): finding for finding in found}
    return Plan(steps=tuple(steps), findings=tuple(distinct.values()))


def requirements(key: Key, item: SchemaObject, now: Situation) -> Iterator[Key]:
    """Yield the keys that must exist before an object can: of these, only missing ones matter."""
    yield from now.draft.requires.get(key, ())
    if key.kind in {Kind.TABLE, Kind.EXTENSION, Kind.NAMESPACE}:
        return
    yield Key(key.table, Kind.TABLE)
    if isinstance(item, Constraint) and item.target is not None:
        yield Key(item.target, Kind.TABLE)
        yield from _referenced(item.target, item.target_columns)
    if not now.exists(key.table):
        return
    if isinstance(item, Column) and item.generated:
        yield from (Key(key.table, Kind.COLUMN, (name,)) for name in item.reads)
    elif isinstance(item, Index | Constraint):
        read = _read(key, item, now)
        if read is None:
            yield from (other for other in now.diff.missing if other.table == key.table and other.kind is Kind.COLUMN)
        else:
            yield from (Key(key.table, Kind.COLUMN, (name,)) for name in read)


def _read(key: Key, item: Index | Constraint, now: Situation) -> Collection[str] | None:
    """Return the columns an object needs; None where only the server knows which."""
    if isinstance(item, Index) and item.structure is not None:
        return (*item.columns, *item.structure.include)
    if isinstance(item, Constraint) and item.columns:
        return item.columns
    _, model, _, source, _ = now.draft.origins[key]
    return columns_of(model, source) if model is not None else None


def _referenced(table: TableName, columns: tuple[str, ...]) -> Iterator[Key]:
    """Yield what a foreign key needs of its target: the columns, and their uniqueness."""
    yield from (Key(table, Kind.COLUMN, (name,)) for name in columns)
    yield Key(table, Kind.PRIMARY_KEY)
    yield Constraint(table=table, kind=Kind.UNIQUE, columns=columns).key


def _closure(refused: Iterable[Key], needs: Mapping[Key, frozenset[Key]]) -> set[Key]:
    """Return what is refused and all that depends on it."""
    dependents: dict[Key, list[Key]] = defaultdict(list)
    for key, required in needs.items():
        for other in required:
            dependents[other].append(key)
    blocked: set[Key] = set()
    waiting = list(refused)
    while waiting:
        key = waiting.pop()
        if key not in blocked:
            blocked.add(key)
            waiting += dependents[key]
    return blocked


def _carrier(key: Key, now: Situation) -> bool:
    """Tell whether a missing object comes with its table's CREATE TABLE."""
    origin = now.draft.origins[key]
    return origin.inline and key.kind is not Kind.TABLE and not now.exists(key.table)


def _ordered(missing: Mapping[Key, SchemaObject], now: Situation) -> list[Key]:
    """Sort by stage, then by table in the models' order, then by rank; generated columns follow plain ones."""
    place = {name: number for number, name in enumerate(now.draft.tables)}

    def position(key: Key) -> tuple[int, int, int, bool]:
        item = missing[key]
        generated = isinstance(item, Column) and item.generated
        return STAGES.get(key.kind, 1), place.get(key.table, -1), key.kind, generated

    return sorted(missing, key=position)


def _step(key: Key, item: SchemaObject, now: Situation, needs: frozenset[Key]) -> Step:
    app, model, *_ = now.draft.origins[key]
    creates = [key]
    if key.kind is Kind.TABLE:
        creates += [
            other for other in now.draft.contents[key.table] if _carrier(other, now) and other not in now.left_out
        ]
    return Step(
        key=key,
        app=app,
        model=model._meta.label if model is not None else "",
        name=now.name(item),
        creates=tuple(creates),
        actions=actions(item, now),
        requires=frozenset(other for other in needs if other in now.diff.missing),
        offenders=offenders(item, now),
    )
