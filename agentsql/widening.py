"""Wider types on request: the only type changes there are, from a closed list that loses and rewrites nothing.

What the server does for a change of type is PostgreSQL's ATExecAlterColumnType: of these it keeps the table's file and
that of each plain index, but it scans for checks, rebuilds indexes with an expression or a predicate, and forgets the
column's storage and its statistics. The first three are refused, the last is made again, with those that it shares
with other columns. `grounds.py` asks what there is of all that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from agentsql import findings
from agentsql.names import quoted
from agentsql.schema import Column, Key, Kind, Table
from agentsql.situation import Ground, Situation
from agentsql.step import ALTERING, VALIDATING, Action, Mode, Step
from agentsql.wider import UTC, Form, form, is_wider

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

    from agentsql.diff import Diff

ZONES_OF_UTC = {"utc", "gmt", "uct", "zulu", "universal", "greenwich", "gmt0", "gmt+0", "gmt-0"}


def candidates(difference: Diff) -> Iterator[tuple[Column, Column]]:
    """Yield the columns whose models want a wider type, as (wanted, found)."""
    for wanted, found in difference.shared.values():
        if not (isinstance(wanted, Column) and isinstance(found, Column)):
            continue
        if is_wider(found.type, wanted.type) and not (wanted.generated or found.generated):
            yield wanted, found


def widenings(now: Situation, refused: Collection[Key]) -> Iterator[Step | CheckMessage]:
    """Yield a step for each column that can be widened, and a finding for each that can't but was asked for.

    Args:
        now: the situation, with the grounds of what could be wider.
        refused: tables that nothing may be done to.
    """
    for wanted, found in candidates(now.diff) if now.conditions.widen else ():
        key, ground = wanted.key, now.conditions.grounds.get(wanted.key)
        table = now.actual.get(Key(key.table, Kind.TABLE))
        asked = now.conditions.zone or form(wanted.type) != Form(UTC)
        if ground is None or not isinstance(table, Table) or table.key in refused or not asked:
            continue
        yield (
            findings.not_owner(key.table, now.conditions.user)
            if not table.owned
            else _widen(wanted, found, ground, now)
        )


def _widen(wanted: Column, found: Column, ground: Ground, now: Situation) -> Step | CheckMessage:
    key, zone = wanted.key, now.conditions.zone
    sql = alteration(wanted, ground)
    zoned = form(wanted.type) == Form(UTC)
    if zoned and zone.lower().removeprefix("etc/") not in ZONES_OF_UTC:
        return findings.zone_unknown(key, zone, f"{sql} USING {quoted(wanted.name)} AT TIME ZONE {_literal(zone)}")
    # An index of timestamps is of another operator class then, and a default would be read in each session's zone.
    obstacles = (*ground.obstacles, *(ground.indexes if zoned else ()))
    if obstacles or ground.dependents:
        return findings.not_widened(key, obstacles, in_utc(sql) if zoned else sql, dependents=ground.dependents)
    origin = now.draft.origins[key]
    return Step(
        key=key,
        app=origin.app,
        model=origin.model._meta.label if origin.model is not None else "",
        name=f"{wanted.name} {found.type} -> {wanted.type}",
        creates=(),
        actions=tuple(_actions(wanted, in_utc(sql) if zoned else sql, ground, atomic=now.conditions.atomic)),
    )


def _actions(wanted: Column, sql: str, ground: Ground, *, atomic: bool) -> Iterator[Action]:
    mode = Mode.SHARED if atomic else Mode.INSTANT
    yield Action(sql=(sql,), mode=mode, lock=ALTERING)
    analyze = f"ANALYZE {wanted.table.quoted} ({', '.join(map(quoted, (wanted.name, *ground.companions)))})"
    yield Action(sql=(analyze,), mode=Mode.SHARED if atomic else Mode.OWN, lock=VALIDATING)


def alteration(wanted: Column, ground: Ground) -> str:
    """Return the statement; without its own collation a column would get its type's."""
    collation = f" COLLATE {ground.collation}" if ground.collation else ""
    change = f"ALTER COLUMN {quoted(wanted.name)} TYPE {form(wanted.type)}{collation}"
    return f"ALTER TABLE {wanted.table.quoted} {change}"


def in_utc(sql: str) -> str:
    """Return a block that runs a statement with the time zone UTC, and gives the session its own back.

    One statement, so that it means the same wherever it is pasted: SET LOCAL does nothing outside a transaction.
    """
    tag = "agentsql"
    while f"${tag}$" in sql:
        tag += "_"
    return (
        f"DO ${tag}$ DECLARE zone text := current_setting('TimeZone'); BEGIN SET LOCAL TimeZone TO 'UTC'; {sql}; "
        f"PERFORM set_config('TimeZone', zone, true); END ${tag}$"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
