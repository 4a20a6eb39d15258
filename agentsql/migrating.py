"""`manage.py migrate` brings the plugins' schema along.

Before Django's own work comes all that plugins need, so that migrations can point to their tables; afterwards come the
keys that had to wait for tables of migrations. Each signal is sent once an app, and we act on one of them: the first
before, the last afterwards, when content types are there.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from textwrap import indent
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.core.management.base import OutputWrapper
from django.core.management.color import color_style, no_style
from django.db import connections

from agentsql import conf
from agentsql.announce import announce, is_listened_to
from agentsql.console import Console
from agentsql.discover import Plugin, discover, has_migrations
from agentsql.drift import is_drift
from agentsql.engine import converge
from agentsql.exceptions import AgentSQLError
from agentsql.renderers import text_tail
from agentsql.report import EVERY, INTERRUPTED, TROUBLE, Notice, Report, Status
from agentsql.server import exist
from agentsql.survey import Wishes

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

WAITING = "agentsql.D003"  # keys whose target tables a later migration makes, or this very one
shown: dict[str, set[str]] = {}  # by alias: the findings that were shown before Django's own work
STEPS_SHOWN = 2  # Django's verbosity
STOPPED = "Interrupted; run migrate again, it goes on from what there is."


def before_migrate(sender: AppConfig, using: str, verbosity: int, **options: Any) -> None:
    """Make all that plugins need, but for keys to tables that migrations have yet to make.

    Plugins that have migrations of their own are left to them until afterwards. What can't be done is told, and keeps
    Django from nothing: the error comes afterwards.

    Raises:
        CommandError: the settings are wrong, or Ctrl-C.
    """
    if sender is not _senders()[0]:
        return
    with _plainly():
        settings = conf.load()
        console = _console(verbosity, options.get("stdout"))
        plugins = _plugins(using, settings, console.stdout if verbosity > 0 else None)
        plugins = [plugin for plugin in plugins if not has_migrations(apps.get_app_config(plugin.label))]
        if not plugins:
            return
        try:
            report = _converge(using, plugins, settings, console)
        except AgentSQLError as error:
            console.tell(Notice(text=f"automigrate could not run before the migrations: {error}"))
            return
    findings = tuple(finding for finding in report.findings if _hinders(finding))
    shown[using] = {finding.msg for finding in findings}
    _show(replace(report, findings=findings, remaining=0), console)
    if report.status is Status.STOPPED:
        raise CommandError(STOPPED, returncode=INTERRUPTED)


def after_migrate(sender: AppConfig, using: str, verbosity: int, **options: Any) -> None:
    """Make what had to wait, and tell those who seed data.

    A flush sends the same signal, without a plan: it leaves the schema as it is, and empties what was seeded.

    Raises:
        CommandError: the database can't be used, part of the schema or of the seeds could not be made, or Ctrl-C.
    """
    if sender is not _senders()[-1]:
        return
    with _plainly():
        if "plan" not in options:
            _after_flush(connections[using])
            return
        settings = conf.load()
        plugins = _plugins(using, settings)
        if plugins:
            console = _console(verbosity, options.get("stdout"))
            report = _converge(using, plugins, settings, console)
            complete = [plugin for plugin in plugins if plugin.label not in report.incomplete]
            findings = (*report.findings, *announce(complete, using, report))
            again = shown.pop(using, set())
            _show(replace(report, findings=tuple(one for one in findings if one.msg not in again)), console)
            _refuse(replace(report, findings=findings))


def _after_flush(connection: BaseDatabaseWrapper) -> None:
    if connection.vendor != "postgresql":
        return
    listened = [plugin for plugin in discover(connection, named=conf.load().plugins) if is_listened_to(plugin)]
    tables = {plugin.label: [model._meta.db_table for model in plugin.models] for plugin in listened}
    complete = [plugin for plugin in listened if all(exist(connection, tables[plugin.label]))]
    for finding in announce(complete, connection.alias, None):
        raise CommandError(f"{finding.msg} {finding.hint}")


def _senders() -> list[AppConfig]:
    """Return the apps that the signals of one `migrate` are sent for."""
    return [config for config in apps.get_app_configs() if config.models_module is not None]


def _plugins(using: str, settings: conf.Settings, stdout: OutputWrapper | None = None) -> list[Plugin]:
    """Return the plugins that have models on a database, if automigrate may run on it now; else say why not."""
    connection = connections[using]
    if not settings.run_with_migrate:
        return []
    why = ""
    if connection.vendor != "postgresql":
        why = f"the database {using!r} is {connection.display_name}"
    elif connection.in_atomic_block:
        why = "this is inside a transaction, and it commits as it goes"
    if why and stdout is not None:
        stdout.write(f"automigrate is left out: {why}.")
    return [] if why else [plugin for plugin in discover(connection, named=settings.plugins) if plugin.models]


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except (AgentSQLError, ImproperlyConfigured) as error:
        raise CommandError(f"automigrate, which migrate runs: {error}") from error
    except KeyboardInterrupt as error:
        raise CommandError(STOPPED, returncode=INTERRUPTED) from error


def _console(verbosity: int, stdout: OutputWrapper | None) -> Console:
    """Show trouble always, progress at Django's level 1, and each step at 2."""
    logging.getLogger("psycopg").addHandler(logging.NullHandler())  # a failure is told once, by us
    out, err = stdout or OutputWrapper(sys.stdout), OutputWrapper(sys.stderr)
    return Console(
        out,
        err,
        color_style() if out.isatty() else no_style(),
        verbosity,
        steps=EVERY if verbosity >= STEPS_SHOWN else TROUBLE,
    )


def _converge(using: str, plugins: Sequence[Plugin], settings: conf.Settings, console: Console) -> Report:
    if console.verbosity >= STEPS_SHOWN:
        console.say(_heading(console))
    return converge(connections[using], plugins, settings, Wishes(rename_guess=settings.rename_guess), console.tell)


def _heading(console: Console) -> str:
    return console.style.MIGRATE_HEADING("Automigrate:")


def _show(report: Report, console: Console) -> None:
    """Sum up what was done; where that is nothing, without a word unless each step would be shown."""
    worth = report.findings if console.verbosity > 0 else [one for one in report.findings if one.is_serious()]
    if console.verbosity < STEPS_SHOWN and (worth or (report.outcomes and console.verbosity > 0)):
        console.say(_heading(console))
    elif console.verbosity < STEPS_SHOWN:
        return
    console.say(indent(text_tail(report, console.style, console.verbosity), "  "))


def _refuse(report: Report) -> None:
    """Raise where not all is there that could be: keys may go on waiting for migrations that were not asked for."""
    if report.status is Status.STOPPED:
        raise CommandError(STOPPED, returncode=INTERRUPTED)
    if report.status is Status.FAILED or any(_hinders(finding) for finding in report.findings):
        what = "a receiver failed" if report.complete else "part of the plugins' schema could not be made"
        raise CommandError(f"Migrations are done, but {what}; see above.")


def _hinders(finding: CheckMessage) -> bool:
    """Tell whether a finding kept something from being made; what only differs is told, and was so before."""
    return finding.is_serious() and finding.id != WAITING and not is_drift(finding)
