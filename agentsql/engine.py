"""One run, as a straight line: discover, draft, inspect, diff, plan, execute, inspect again, report.

A run that finds nothing missing takes no lock and writes nothing. Otherwise everything is read again under the lock,
because another run may have just made it. The verdict is the second plan: a run succeeded when it is empty.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psycopg
from django.core.checks import CheckMessage
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from agentsql import catalog, conf, drift, session
from agentsql.desired import draft
from agentsql.diff import Diff, diff
from agentsql.discover import Plugin, discover
from agentsql.editor import dry_run
from agentsql.exceptions import DatabaseUnavailable, InsufficientPrivilege
from agentsql.executor import execute
from agentsql.hazards import Conditions, Situation
from agentsql.lock import exclusive
from agentsql.plan import Plan, plan
from agentsql.report import Outcome, Report, Result
from agentsql.schema import Column, Extension, Index, Key, Kind, SchemaObject, Table
from agentsql.server import Server, ask, available_extensions

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one look at the database gives: server facts, both schemas with their difference, and the plan."""

    server: Server
    situation: Situation
    plan: Plan
    findings: tuple[CheckMessage, ...]


def run(
    *,
    using: str = DEFAULT_DB_ALIAS,
    plugins: Iterable[str] | None = None,
    plan_only: bool = False,
    lock_timeout: float | None = None,
    progress: Callable[[Outcome], None] = lambda _: None,
    notice: Callable[[str], None] = lambda _: None,
) -> Report:
    """Make the schema hold all that the plugins' models need.

    Args:
        using: the database alias.
        plugins: labels to look at; None looks at all.
        plan_only: say what would run, and change nothing.
        lock_timeout: seconds a statement waits for a lock; None takes AGENTSQL["LOCK_TIMEOUT"].
        progress: called with each outcome as it happens.
        notice: called with a sentence when the run has to wait.

    Raises:
        AgentSQLError: before anything was changed: an unknown label or alias, a database that is not PostgreSQL or
            too old, unreachable, read-only, or out of this role's rights.
    """
    if isinstance(plugins, str):
        plugins = [plugins]
    settings = conf.load()
    connection = session.named(using)
    wanted = discover(connection, named=settings.plugins, only=plugins)
    if lock_timeout is not None:
        settings = replace(settings, lock_timeout=lock_timeout)
    return converge(connection, wanted, settings, plan_only=plan_only, progress=progress, notice=notice)


def converge(
    connection: BaseDatabaseWrapper,
    plugins: Sequence[Plugin],
    settings: conf.Settings,
    *,
    plan_only: bool = False,
    progress: Callable[[Outcome], None] = lambda _: None,
    notice: Callable[[str], None] = lambda _: None,
) -> Report:
    """Do the work of `run` for plugins that are already known."""
    start = time.perf_counter()
    session.connect(connection)
    outcomes: tuple[Outcome, ...] = ()
    try:
        survey = look(connection, plugins)
        if plan_only:
            outcomes = tuple(Outcome(step=step, result=Result.PENDING) for step in survey.plan.steps)
        elif survey.plan.steps:
            session.refuse_if_powerless(survey.server, survey.plan.steps)
            with exclusive(connection, wait=settings.lock_wait, waiting=notice):
                survey = look(connection, plugins, before=survey)
                outcomes = _apply(survey, connection, settings.lock_timeout, progress)
                survey = look(connection, plugins, before=survey) if outcomes else survey
    except (DatabaseError, psycopg.Error) as error:
        raise DatabaseUnavailable(f"The database failed: {session.first_line(error)}") from error
    return Report(
        database=survey.server.database,
        plugins=tuple(plugin.label for plugin in plugins),
        outcomes=outcomes,
        findings=survey.findings,
        remaining=len(survey.situation.diff.missing),
        seconds=time.perf_counter() - start,
    )


def look(connection: BaseDatabaseWrapper, plugins: Iterable[Plugin], before: Survey | None = None) -> Survey:
    """Compare models and database: read-only, and a constant number of queries.

    Models don't change while we run: what they want is taken from the look before this one, and the plan too where
    the database is still as it was.
    """
    server = ask(connection)
    if server.current_schema is None:
        raise InsufficientPrivilege(
            f"No schema on the search_path of role {server.user!r} exists; create one or set search_path."
        )
    if before is not None and before.server.dialect == server.dialect:
        editor, desired = before.situation.editor, before.situation.draft
    else:
        editor = dry_run(connection, server.dialect.nondeterministic_collations)
        desired = draft(plugins, editor, server.dialect)
    actual = catalog.inspect(connection, desired.tables, server)
    difference = diff(desired.objects, actual)
    situation = Situation(
        diff=difference,
        draft=desired,
        actual=actual,
        conditions=_conditions(connection, difference, actual, server),
        editor=editor,
    )
    if before is not None and (server, situation) == (before.server, before.situation):
        return before
    types = {wanted.type for wanted, _ in difference.shared.values() if isinstance(wanted, Column)}
    drifted = drift.check(difference, catalog.resolve_types(connection, types))
    planned = plan(situation)
    return Survey(server=server, situation=situation, plan=planned, findings=(*planned.findings, *drifted))


def _conditions(
    connection: BaseDatabaseWrapper,
    difference: Diff,
    actual: dict[Key, SchemaObject],
    server: Server,
) -> Conditions:
    """Ask what the plan must know, and only where something is missing."""
    missing = difference.missing
    found = (actual.get(Key(table, Kind.TABLE)) for table in dict.fromkeys(key.table for key in missing))
    touched = [table.table for table in found if isinstance(table, Table) and table.usable]
    names = [item.name for item in missing.values() if isinstance(item, Index)]
    return Conditions(
        user=server.user,
        superuser=server.superuser,
        may_create_in_database=server.may_create_in_database,
        populated=catalog.populated(connection, touched),
        extensions=available_extensions(
            connection, [item.name for item in missing.values() if isinstance(item, Extension)]
        ),
        taken=catalog.taken_names(connection, names, server),
    )


def _apply(
    survey: Survey, connection: BaseDatabaseWrapper, lock_timeout: float, progress: Callable[[Outcome], None]
) -> tuple[Outcome, ...]:
    outcomes = []
    for outcome in execute(
        survey.plan.steps, connection, lock_timeout=lock_timeout, lock_capacity=survey.server.lock_capacity
    ):
        outcomes.append(outcome)
        progress(outcome)
    if any(outcome.step.key.kind is Kind.EXTENSION and outcome.result is Result.DONE for outcome in outcomes):
        session.learn_types(connection)
    return tuple(outcomes)
