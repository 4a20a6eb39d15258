"""One look at a database for the page: the state of each plugin's tables, and all that a run would do.

What it costs does not depend on rows: none is counted, and who holds a table locked is not waited for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

import psycopg
from django.core.checks import WARNING, CheckMessage
from django.db import DatabaseError

from agentsql import conf, session
from agentsql.admin import measures
from agentsql.diagram import Picture, picture
from agentsql.discover import Plugin, discover
from agentsql.drift import is_drift
from agentsql.editor import table_name
from agentsql.exceptions import DatabaseUnavailable
from agentsql.lock import holder
from agentsql.lookup import every
from agentsql.names import TableName
from agentsql.renderers import LABELS, count
from agentsql.report import Outcome, Report, Result
from agentsql.schema import Key, Kind, Table
from agentsql.survey import Survey, Wishes, look

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model


class State(StrEnum):
    """What a table is like, the worst last."""

    COMPLETE = "complete"
    DRIFTED = "drifted"  # all is there, and some of it differs
    MISSING = "missing"  # a run makes what lacks
    CONFLICT = "conflict"  # something is in the way of a run


@dataclass(frozen=True, slots=True, kw_only=True)
class TableState:
    """One model's table. `lacks` says what is missing, in words; `size` is None where there is no table."""

    name: str
    model: str
    state: State
    lacks: str
    findings: tuple[CheckMessage, ...]
    size: measures.Size | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginState:
    """A plugin with models on this database."""

    label: str
    tables: tuple[TableState, ...]

    @property
    def state(self) -> State:
        return max((table.state for table in self.tables), key=list(State).index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All that the page tells of a database.

    findings: those that are on no one table. holder: a sentence on the run that goes on now, or "".
    """

    report: Report
    plugins: tuple[PluginState, ...]
    findings: tuple[CheckMessage, ...]
    versions: measures.Versions
    invalid: tuple[measures.InvalidIndex, ...]
    holder: str
    picture: Picture

    @property
    def sql(self) -> str:
        """The statements that a run would send, ready for psql."""
        return "\n".join(f"{statement};" for outcome in self.report.outcomes for statement in outcome.step.sql)

    @property
    def digest(self) -> str:
        """What tells one plan from another."""
        return sha256(self.sql.encode()).hexdigest()


def look_at(alias: str) -> Overview:
    """Look at a database and change nothing.

    Raises:
        AgentSQLError: it can't be looked at.
        ImproperlyConfigured: nor can the settings.
    """
    settings = conf.load()
    connection = session.named(alias)
    plugins = [plugin for plugin in discover(connection, named=settings.plugins) if plugin.models]
    session.connect(connection)
    hasty = replace(settings, lock_wait=settings.lock_timeout)
    wishes = Wishes(plan_only=True, rename_guess=settings.rename_guess, foresee=False)
    try:
        survey = look(connection, plugins, hasty, wishes)
        with session.patient(connection, settings.lock_timeout):
            return _overview(connection, plugins, survey)
    except (DatabaseError, psycopg.Error) as error:
        raise DatabaseUnavailable(session.told(error)) from error


def _overview(connection: BaseDatabaseWrapper, plugins: Sequence[Plugin], survey: Survey) -> Overview:
    actual, wanted = survey.situation.actual.values(), survey.situation.draft
    found = [item for item in actual if isinstance(item, Table) and item.table in wanted.contents]
    oids = {table.table: table.oid for table in found if table.relkind in "rp"}
    sizes = measures.sizes(connection, oids.values())
    states = _States(survey, {table: sizes[oid] for table, oid in oids.items() if oid in sizes})
    return Overview(
        report=Report(
            database=survey.server.database,
            plugins=tuple(plugin.label for plugin in plugins),
            alias=connection.alias,
            outcomes=tuple(Outcome(step=step, result=Result.PENDING) for step in survey.plan.steps),
            findings=survey.findings,
            remaining=len(survey.situation.diff.missing),
            incomplete=survey.incomplete,
        ),
        plugins=tuple(
            PluginState(label=plugin.label, tables=tuple(map(states.of, plugin.models))) for plugin in plugins
        ),
        findings=tuple(states.findings[None]),
        versions=measures.versions(connection),
        invalid=measures.invalid(connection, oids.values()),
        holder=holder(connection),
        picture=picture(wanted),
    )


class _States:
    """Judges each model's table by what a survey has found."""

    def __init__(self, survey: Survey, sizes: Mapping[TableName, measures.Size]) -> None:
        self.now = survey.situation
        self.sizes = sizes
        self.made = {key for step in survey.plan.steps for key in step.creates}
        self.missing: dict[TableName, list[Key]] = defaultdict(list)
        for key in self.now.diff.missing:
            self.missing[key.table].append(key)
        self.owners: dict[TableName, type[Model] | None] = {
            table: self.now.draft.origins[Key(table, Kind.TABLE)].model for table in self.now.draft.contents
        }
        self.findings = self._by_model(survey.findings)

    def _by_model(self, findings: Collection[CheckMessage]) -> Mapping[type[Model] | None, list[CheckMessage]]:
        """Return findings by the model whose table they are on; by None those on several, or on none."""
        named = {str(key): self.owners.get(key.table) for key in every(self.now)}
        named |= {model._meta.label: model for model in self._models()}
        found: dict[type[Model] | None, list[CheckMessage]] = defaultdict(list)
        for finding in findings:
            found[named.get(str(finding.obj))].append(finding)
        return found

    def _models(self) -> Iterator[type[Model]]:
        yield from (model for model in self.owners.values() if model is not None)
        yield from (second for _, _, second in self.now.draft.rivals)
        yield from (model for model, _ in self.now.draft.unreadable)

    def of(self, model: type[Model]) -> TableState:
        table = table_name(model._meta.db_table)
        is_owner = self.owners.get(table) is model
        missing = self.missing.get(table, []) if is_owner else []
        findings = self.findings.get(model, [])
        return TableState(
            name=str(table),
            model=model._meta.label,
            state=_judged(missing, self.made, findings) if is_owner else State.CONFLICT,
            lacks=_lacks(missing),
            findings=tuple(findings),
            size=self.sizes.get(table) if is_owner else None,
        )


def _judged(missing: Sequence[Key], made: Collection[Key], findings: Sequence[CheckMessage]) -> State:
    if any(key not in made for key in missing):
        return State.CONFLICT
    if any(finding.is_serious() and not is_drift(finding) for finding in findings):
        return State.CONFLICT
    if missing:
        return State.MISSING
    differs = any(is_drift(finding) and finding.level >= WARNING for finding in findings)
    return State.DRIFTED if differs else State.COMPLETE


def _lacks(missing: Sequence[Key]) -> str:
    """Return "the table", or "1 column, 2 indexes" of it."""
    kinds = Counter(key.kind for key in missing)
    if Kind.TABLE in kinds:
        return "the table"
    return ", ".join(count(LABELS.get(kind, kind.label), kinds[kind]) for kind in sorted(kinds))
