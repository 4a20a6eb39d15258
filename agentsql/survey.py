"""One look at models and database: read-only, a constant number of queries, and a plan as the result."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.core.checks import CheckMessage

from agentsql import catalog, conditions, drift, extras, findings
from agentsql.comparison import Difference, glance
from agentsql.desired import Draft, draft
from agentsql.diff import diff
from agentsql.editor import DryRun, dry_run
from agentsql.examination import Examination, examine
from agentsql.exceptions import InsufficientPrivilege
from agentsql.foresight import foreseen
from agentsql.hazards import strangers
from agentsql.plan import Plan, plan
from agentsql.schema import Column, Index, Key, SchemaObject
from agentsql.server import Server, ask
from agentsql.session import patient
from agentsql.situation import Situation

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from agentsql.conf import Settings
    from agentsql.discover import Plugin


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the caller allows.

    plan_only: change nothing. in_full: also rehearse what is missing, to tell of it. atomic: one transaction, all
    or nothing. allow_rewrite: also make what rewrites a table with rows, or locks it for long. rename_guess: let
    what looks like a rename wait for a person. widen: also change column types where that needs no rewrite and
    loses nothing. zone: what timestamps without time zone were written in, so that these columns can be widened,
    too. foresee: with a plan, count the rows that would stop it.
    """

    plan_only: bool = False
    in_full: bool = False
    atomic: bool = False
    allow_rewrite: bool = False
    rename_guess: bool = True
    widen: bool = False
    zone: str = ""
    foresee: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one look gives: server facts, both schemas with their difference, and the plan."""

    server: Server
    situation: Situation
    plan: Plan
    findings: tuple[CheckMessage, ...]
    examination: Examination | None = None

    @property
    def incomplete(self) -> frozenset[str]:
        """Labels of the plugins that the database does not hold in full."""
        draft = self.situation.draft
        wrong = [model for *_, model in draft.rivals]
        wrong += [model for _, model in draft.clashes]
        wrong += [model for model, _ in draft.unreadable]
        missing = {draft.origins[key].app for key in self.situation.diff.missing}
        return frozenset(missing.union(model._meta.app_label for model in wrong))


def look(
    connection: BaseDatabaseWrapper,
    plugins: Collection[Plugin],
    settings: Settings,
    wishes: Wishes,
    before: Survey | None = None,
) -> Survey:
    """Compare models and database.

    Models don't change while we run: what they want is taken from the look before this one, and the plan too where
    the database is still as it was.

    Raises:
        CatalogLocked: others kept a table locked.
        InsufficientPrivilege: no schema of search_path exists.
    """
    with patient(connection, settings.lock_wait):
        server = ask(connection)
        if server.current_schema is None:
            raise InsufficientPrivilege(
                f"No schema on the search_path of role {server.user!r} exists that it may use: create one, GRANT USAGE "
                "ON SCHEMA, or set search_path."
            )
        if before is not None and before.server.dialect == server.dialect:
            editor, desired = before.situation.editor, before.situation.draft
        else:
            editor = dry_run(connection, server.dialect.nondeterministic_collations)
            desired = draft(plugins, editor, server.dialect)
        actual = catalog.inspect(connection, desired.tables, server)
    situation = _situation(
        connection,
        server=server,
        desired=desired,
        actual=actual,
        editor=editor,
        settings=settings,
        wishes=wishes,
    )
    if before is not None and (server, situation) == (before.server, before.situation):
        return before
    examination = None
    if wishes.plan_only:
        patience = settings.lock_timeout
        examination = examine(connection, situation, server, patience=patience, in_full=wishes.in_full)
    planned = _planned(connection, situation, settings, wishes)
    widened = {step.key for step in planned.steps if step.widens}
    differs = _differing(connection, situation, examination, widened)
    beyond = extras.findings(connection, situation, examination)
    return Survey(
        server=server,
        situation=situation,
        plan=planned,
        findings=(*planned.findings, *differs, *beyond),
        examination=examination,
    )


def _situation(
    connection: BaseDatabaseWrapper,
    *,
    server: Server,
    desired: Draft,
    actual: dict[Key, SchemaObject],
    editor: DryRun,
    settings: Settings,
    wishes: Wishes,
) -> Situation:
    difference = diff(desired.objects, actual)
    known = conditions.ask(
        connection,
        server,
        difference=difference,
        actual=actual,
        draft=desired,
        editor=editor,
        patience=settings.lock_timeout,
        rename_guess=wishes.rename_guess,
        widen=wishes.widen,
    )
    asked = {name: getattr(wishes, name) for name in ("atomic", "allow_rewrite", "rename_guess", "widen", "zone")}
    return Situation(diff=difference, draft=desired, actual=actual, conditions=replace(known, **asked), editor=editor)


def _planned(connection: BaseDatabaseWrapper, now: Situation, settings: Settings, wishes: Wishes) -> Plan:
    """Return the plan, with what it would run into if that is all that is asked for."""
    planned = plan(now)
    if wishes.plan_only and wishes.foresee:
        obstacles = foreseen(connection, planned.steps, now, lock_timeout=settings.lock_timeout)
        planned = replace(planned, findings=(*planned.findings, *obstacles))
    if wishes.atomic and any(finding.is_serious() for finding in planned.findings):
        planned = Plan(steps=(), findings=(*planned.findings, findings.all_or_nothing()))
    return planned


def _differing(
    connection: BaseDatabaseWrapper, now: Situation, examination: Examination | None, widened: Collection[Key]
) -> Iterator[CheckMessage]:
    """Yield what differs in the tables that are ours: at a glance, or in every detail after an examination."""
    if examination is not None:
        differences = examination.differences(now)
    else:
        types = {wanted.type for wanted, _ in now.diff.shared.values() if isinstance(wanted, Column)}
        differences = glance(now.diff, catalog.resolve_types(connection, types))
    strange = {key.table for key, _ in strangers(now)}
    left = (one for one in differences if one.key.table not in strange and not _is_told(one, now, widened))
    yield from drift.findings(left, now.diff.shared)


def _is_told(one: Difference, now: Situation, widened: Collection[Key]) -> bool:
    """Tell whether a difference goes with what a plan widens, or with a column that looks renamed."""
    if one.fact == "type":
        return one.key in widened
    found = now.diff.shared[one.key][1]
    return isinstance(found, Index) and any((found.table, name) in now.renamed for name in found.columns)
