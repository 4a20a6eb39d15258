"""One run, as a straight line: discover, draft, inspect, diff, plan, execute, inspect again, report.

A run that finds nothing missing takes no lock and writes nothing. Otherwise everything is read again under the lock,
because another run may have just made it. The verdict is the second plan: a run succeeded when it is empty.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from agentsql import conf, session
from agentsql.access import grant
from agentsql.announce import announce
from agentsql.atomic import execute_atomically
from agentsql.discover import Plugin, discover
from agentsql.exceptions import DatabaseUnavailable
from agentsql.executor import execute
from agentsql.explain import Explanation, explanation
from agentsql.lock import exclusive
from agentsql.report import Event, Notice, Outcome, Report, Result, Status, made, stopped
from agentsql.schema import Kind
from agentsql.statement import Session
from agentsql.survey import Survey, Wishes, look
from agentsql.timeouts import unhurried

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

Tell = Callable[[Event], None]
BUILD_POLL_SECONDS = 1.0


def run(
    *,
    using: str = DEFAULT_DB_ALIAS,
    plugins: Iterable[str] | None = None,
    plan_only: bool = False,
    atomic: bool = False,
    allow_rewrite: bool = False,
    rename_guess: bool | None = None,
    widen: bool = False,
    zone: str = "",
    lock_timeout: float | None = None,
    lock_wait: float | None = None,
    tell: Tell = lambda _: None,
) -> Report:
    """Make the schema hold all that the plugins' models need.

    Args:
        using: the database alias.
        plugins: labels to look at; None looks at all.
        plan_only: say what would run, and change nothing.
        atomic: everything in one transaction, all or nothing, with tables locked as long as that takes.
        allow_rewrite: also make what rewrites a table with rows, or locks it for long.
        rename_guess: let what looks like a rename wait for a person; None takes AGENTSQL["RENAME_GUESS"].
        widen: also change types of columns where that needs no rewrite and loses nothing.
        zone: the time zone that timestamps without one were written in, so that `widen` can give them one.
        lock_timeout: seconds a statement waits for a lock; None takes AGENTSQL["LOCK_TIMEOUT"].
        lock_wait: seconds in all that it is tried again; None takes AGENTSQL["LOCK_WAIT"].
        tell: called with each event as it happens: an outcome, progress, a notice.

    Raises:
        AgentSQLError: before anything was changed: an unknown label or alias, a database that is not PostgreSQL or
            too old, unreachable, read-only, or out of this role's rights. LockLost and DatabaseUnavailable also later.
    """
    if isinstance(plugins, str):
        plugins = [plugins]
    settings = conf.load()
    connection = session.named(using)
    wanted = discover(connection, named=settings.plugins, only=plugins)
    settings = replace(
        settings,
        lock_timeout=settings.lock_timeout if lock_timeout is None else lock_timeout,
        lock_wait=settings.lock_wait if lock_wait is None else lock_wait,
    )
    wishes = Wishes(
        plan_only=plan_only,
        atomic=atomic,
        allow_rewrite=allow_rewrite,
        rename_guess=settings.rename_guess if rename_guess is None else rename_guess,
        widen=widen,
        zone=zone,
    )
    if any(plugin.models for plugin in wanted):
        report = converge(connection, wanted, settings, wishes, tell)
    else:
        report = Report(database=str(connection.settings_dict["NAME"]), alias=using, plugins=())
    if plan_only or report.status is Status.STOPPED:
        return report
    complete = [plugin for plugin in wanted if plugin.label not in report.incomplete]
    afterwards = [*grant(connection, wanted, wait=settings.run_wait), *announce(complete, using, report)]
    return replace(report, findings=(*report.findings, *afterwards))


def converge(
    connection: BaseDatabaseWrapper,
    plugins: Sequence[Plugin],
    settings: conf.Settings,
    wishes: Wishes,
    tell: Tell = lambda _: None,
) -> Report:
    """Do the work of `run` for plugins that are already known."""
    start = time.perf_counter()
    session.connect(connection)
    outcomes: tuple[Outcome, ...] = ()
    again = partial(look, connection, plugins, settings, wishes)
    try:
        survey = again()
        if wishes.plan_only:
            outcomes = tuple(Outcome(step=step, result=Result.PENDING) for step in survey.plan.steps)
        elif survey.plan.steps or survey.situation.conditions.building:
            session.refuse_if_powerless(survey.server, survey.plan.steps)
            pooled = survey.server.pooled
            with (
                unhurried(connection, pooled=pooled),
                exclusive(connection, wait=settings.run_wait, waiting=_notice(tell), pooled=pooled) as watch,
            ):
                survey = _when_built(again(survey), again, settings, tell)
                means = Session(
                    connection=connection,
                    wire=connection.connection,
                    settings=settings,
                    watch=watch,
                    pooled=pooled,
                    deadlock_timeout=survey.server.deadlock_timeout,
                )
                outcomes = _apply(survey, means, wishes, tell)
                if outcomes and not stopped(outcomes):
                    survey = again(survey)
    except (DatabaseError, psycopg.Error) as error:
        raise DatabaseUnavailable(session.told(error)) from error
    broken = [outcome.failure.finding for outcome in outcomes if outcome.failure and outcome.failure.finding]
    return Report(
        database=survey.server.database,
        plugins=tuple(plugin.label for plugin in plugins if plugin.models),
        alias=connection.alias,
        outcomes=outcomes,
        findings=(*broken, *survey.findings),
        remaining=len(survey.situation.diff.missing) - (made(outcomes) if stopped(outcomes) else 0),
        incomplete=survey.incomplete,
        seconds=time.perf_counter() - start,
    )


def _notice(tell: Tell) -> Callable[[str], None]:
    return lambda sentence: tell(Notice(text=sentence))


def _when_built(survey: Survey, again: Callable[[Survey], Survey], settings: conf.Settings, tell: Tell) -> Survey:
    """Wait for builds of our indexes that others do: a backend may go on after its client was killed."""
    deadline = time.monotonic() + settings.build_wait
    told = False
    while (building := survey.situation.conditions.building) and time.monotonic() < deadline:
        if not told:
            for name, pid in building.items():
                tell(Notice(text=f"The index {name} is being built by backend {pid}; waiting for it."))
            told = True
        time.sleep(BUILD_POLL_SECONDS)
        survey = again(survey)
    return survey


def _interrupted(error: BaseException | None) -> bool:
    """Tell whether Ctrl-C began it, also where cleaning up after it failed in turn."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _apply(survey: Survey, means: Session, wishes: Wishes, tell: Tell) -> tuple[Outcome, ...]:
    """Run the plan, and return what became of each step, also when Ctrl-C ends it early."""
    steps = survey.plan.steps
    capacity = survey.server.lock_capacity
    outcomes: list[Outcome] = []
    if wishes.atomic:
        events = execute_atomically(steps, means, lock_capacity=capacity)
    else:
        events = execute(steps, means, lock_capacity=capacity)
    try:
        for event in events:
            if isinstance(event, Outcome):
                outcomes.append(event)
            tell(event)
    except BaseException as error:
        if not _interrupted(error):
            raise
        events.close()
        known = {outcome.step.key for outcome in outcomes}
        for step in steps:
            if step.key not in known:
                outcomes.append(Outcome(step=step, result=Result.STOPPED))
                tell(outcomes[-1])
    if any(outcome.step.key.kind is Kind.EXTENSION and outcome.result is Result.DONE for outcome in outcomes):
        session.learn_types(means.connection)
    return tuple(outcomes)


def explain(name: str, *, using: str = DEFAULT_DB_ALIAS, plugins: Iterable[str] | None = None) -> Explanation:
    """Tell how the models want an object or a table, and how the database has it. Changes nothing.

    Args:
        name: as `explanation` takes it.
        using: the database alias.
        plugins: labels to look at; None looks at all.

    Raises:
        AgentSQLError: nothing has that name, or the database can't be looked at.
    """
    settings = conf.load()
    connection = session.named(using)
    wanted = discover(connection, named=settings.plugins, only=plugins)
    session.connect(connection)
    try:
        survey = look(
            connection, wanted, settings, Wishes(plan_only=True, in_full=True, rename_guess=settings.rename_guess)
        )
    except (DatabaseError, psycopg.Error) as error:
        raise DatabaseUnavailable(session.told(error)) from error
    assert survey.examination is not None  # noqa: S101 plan_only asks for one
    return explanation(name, survey.situation, survey.examination, survey.plan, survey.findings)
