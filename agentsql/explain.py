"""One object or one table, as the models want it and as the database has it: what `--explain` tells. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from agentsql.comparison import SPARE_DEFAULT, place_of
from agentsql.lookup import every, found_as, named, names_of, own_name
from agentsql.report import names
from agentsql.schema import Key
from agentsql.wording import words

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

    from agentsql.examination import Examination
    from agentsql.names import TableName
    from agentsql.plan import Plan
    from agentsql.situation import Situation
    from agentsql.step import Step

FACTS = {  # what a row is part of, where a difference goes by another name
    "null": "not_null",
    "on delete": "reference",
    "on update": "reference",
    "match": "reference",
    "deferrable": "timing",
    **dict.fromkeys(("method", "keys", "include", "where", "unique", "nulls"), "structure"),
}
SELDOM = frozenset({"name", "persistence", "match"})  # only told where the two sides differ


class State(StrEnum):
    """Which side has an object."""

    SHARED = "shared"
    MISSING = "missing"
    UNFINISHED = "unfinished"  # an interrupted run left part of it
    EXTRA = "extra"  # models don't know it


class Fact(NamedTuple):
    """One row: `wanted` is "" where the models don't say, `found` where the database has nothing."""

    name: str
    wanted: str
    found: str
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One object. `name` is the one it has, or would get; `model` the label of the model that wants it, or ""."""

    key: Key
    name: str
    state: State
    model: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Objects with what is known of them, the findings on them, and the steps that a run would take for them.

    uncompared: tables of which only existence, types and structure were compared, with the reason.
    """

    subjects: tuple[Subject, ...]
    findings: tuple[CheckMessage, ...]
    steps: tuple[Step, ...]
    uncompared: Mapping[TableName, str]


def explanation(
    name: str, now: Situation, examination: Examination, planned: Plan, findings: Sequence[CheckMessage]
) -> Explanation:
    """Tell of the object of a name, of all that belongs to it if it is a table.

    Args:
        name: of a table, an index or a constraint; "table.column"; "foreign key table(column)" as findings say it;
            or a model: "app.Model", "app.Model.field". Case and double quotes don't matter.
        now: both schemas.
        examination: their details.
        planned: what a run would do.
        findings: all there are.

    Raises:
        AgentSQLError: nothing has that name.
    """
    keys = named(name, now)
    told = {key.table for key in keys}
    known = {str(key) for key in every(now)}
    pairs = ((one.key, one.fact) for one in examination.differences(now))
    differing = {(key, "default" if fact == SPARE_DEFAULT else fact) for key, fact in pairs}
    return Explanation(
        subjects=tuple(_subject(key, now, examination, differing) for key in keys),
        findings=tuple(one for one in findings if _concerns(one, keys, now, known)),
        steps=tuple(step for step in planned.steps if not set(keys).isdisjoint(step.creates)),
        uncompared={table: why for table, why in examination.failed.items() if table in told},
    )


def _subject(key: Key, now: Situation, examination: Examination, differing: set[tuple[Key, str]]) -> Subject:
    wanted, found = now.draft.objects.get(key), found_as(key, now)
    ours = words(wanted, own_name(wanted, now), examination.wanted.get(key)) if wanted is not None else {}
    there = examination.found.get(place_of(found)) if found is not None else None
    theirs = words(found, own_name(found, now), there) if found is not None else {}
    item, origin = found or wanted, now.draft.origins.get(key)
    return Subject(
        key=key,
        name=own_name(item, now) if item is not None else "",
        state=_state(key, now),
        model=origin.model._meta.label if origin is not None and origin.model is not None else "",
        facts=tuple(_facts(key, ours, theirs, differing)),
    )


def _state(key: Key, now: Situation) -> State:
    if key in now.diff.shared:
        return State.SHARED
    if key not in now.diff.missing:
        return State.EXTRA
    return State.UNFINISHED if key in now.diff.begun else State.MISSING


def _facts(
    key: Key, wanted: Mapping[str, str], found: Mapping[str, str], differing: set[tuple[Key, str]]
) -> Iterator[Fact]:
    for name in dict.fromkeys((*wanted, *found)):
        ours, theirs = wanted.get(name, ""), found.get(name, "")
        worth_it = ours and theirs and ours != theirs if name in SELDOM else ours or theirs
        if worth_it:
            differs = ours != theirs and (key, FACTS.get(name, name)) in differing
            yield Fact(name, ours, theirs, differs)


def _concerns(finding: CheckMessage, keys: Iterable[Key], now: Situation, known: set[str]) -> bool:
    """Tell whether a finding is on one of these objects; one on many at once has them in its message."""
    if str(finding.obj) in known:
        return any(str(finding.obj) == str(key) for key in keys)
    return any(names(finding, str(key)) or str(finding.obj) in names_of(key, now) for key in keys)
