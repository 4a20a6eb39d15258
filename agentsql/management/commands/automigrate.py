"""Parse, call, render; the engine thinks."""

from __future__ import annotations

import gc
import logging
import math
from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.checks import WARNING, CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections

from agentsql import conf, session
from agentsql.console import Console
from agentsql.discover import discover
from agentsql.drift import is_drift
from agentsql.engine import explain, run
from agentsql.exceptions import AgentSQLError, UnknownPlugin
from agentsql.findings import unusable
from agentsql.renderers import FORMATS, count, explanation_json, explanation_text, several, text, text_tail
from agentsql.report import EVERY, INTERRUPTED, LEVELS, TROUBLE, Notice, Report, Status

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


def seconds(value: str) -> float:
    """Read a positive number; PostgreSQL's 0 would wait for ever."""
    try:
        number = float(value)
    except ValueError:
        number = 0
    if not 0 < number < math.inf:
        raise ArgumentTypeError(f"{value} is not a number of seconds above 0")
    return number


def _refuses(finding: CheckMessage) -> bool:
    return finding.is_serious() and not is_drift(finding)


def _unusable(alias: str, error: Exception) -> Report:
    name = str(connections.settings.get(alias, {}).get("NAME", ""))
    return Report(database=name, alias=alias, plugins=(), findings=(unusable(alias, error),), looked=False)


class Command(BaseCommand):
    help = "Make the PostgreSQL schema hold all that the plugins' models need. Adds only; reads no migrations."
    requires_system_checks = []  # the models are all that matters, and checks cost more than the run

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("plugins", nargs="*", metavar="app_label", help="Only these plugins (default: all).")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--database", default=DEFAULT_DB_ALIAS, metavar="ALIAS", help="The database alias.")
        where.add_argument("--all-databases", action="store_true", help="Every PostgreSQL database, one by one.")
        parser.add_argument("--plan", action="store_true", help="Show what would run; change nothing.")
        parser.add_argument("--check", action="store_true", help="Change nothing; exit 1 if anything is missing.")
        parser.add_argument(
            "--explain",
            metavar="OBJECT",
            help="Show a table, column, index, constraint or model as wanted and as found; change nothing.",
        )
        parser.add_argument(
            "--diagram",
            metavar="FILE",
            help="Draw the models' schema (.svg, by Graphviz; .dot or -: its source) and end; asks no database.",
        )
        parser.add_argument(
            "--fail-level",
            choices=LEVELS,
            default="",
            help="Exit 1 when a finding is of this level or a worse one, also with --plan (default: error).",
        )
        parser.add_argument("--format", choices=FORMATS, default="text", help="What to print (default: text).")
        parser.add_argument(
            "--lock-timeout",
            type=seconds,
            metavar="SECONDS",
            help="How long a statement waits for a lock, with others queueing behind it (default: 2).",
        )
        parser.add_argument(
            "--lock-wait",
            type=seconds,
            metavar="SECONDS",
            help="How long in all a statement is tried again for want of a lock (default: 60).",
        )
        parser.add_argument(
            "--atomic",
            action="store_true",
            help="All or nothing, in one transaction, with tables locked as long as that takes.",
        )
        parser.add_argument(
            "--allow-rewrite",
            action="store_true",
            help="Also make what rewrites a table with rows, or locks it for long.",
        )
        parser.add_argument(
            "--no-rename-guess",
            action="store_false",
            dest="rename_guess",
            default=None,
            help="Add what looks like a rename beside what is there.",
        )
        parser.add_argument(
            "--widen",
            action="store_true",
            help="Also widen columns (varchar, numeric) where nothing is rewritten or lost.",
        )
        parser.add_argument(
            "--zone", default="", metavar="ZONE", help="With --widen: the zone of timestamps that have none (UTC)."
        )

    def run_from_argv(self, argv: list[str]) -> None:
        gc.freeze()  # the models live as long as this process: the collector need not look among them
        super().run_from_argv(argv)

    def handle(self, *_: Any, **options: Any) -> None:
        logging.getLogger("psycopg").addHandler(logging.NullHandler())  # a lost connection is told once, by our error
        if options["zone"] and not options["widen"]:
            raise CommandError("--zone is for --widen: give both.")
        planned = options["plan"] or options["check"]
        streamed = options["format"] == "text" and not planned
        steps = (EVERY if options["verbosity"] > 0 else TROUBLE) if streamed else ()
        self.console = Console(self.stdout, self.stderr, self.style, options["verbosity"], steps=steps)
        try:
            if options["diagram"] is not None:
                self._draw(options)
                return
            if options["explain"] is not None:
                self._explain(options)
                return
            reports = list(self._each(options)) if options["all_databases"] else [self._run(options)]
        except (AgentSQLError, ImproperlyConfigured) as error:
            if options["format"] in {"json", "github"} and options["explain"] is None:
                self.console.say(FORMATS[options["format"]](_unusable(options["database"], error)))
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError(
                "Interrupted; run automigrate again, it goes on from what there is.", returncode=INTERRUPTED
            ) from error
        if options["format"] != "text":
            form = options["format"]
            self.console.say(several(form, reports) if options["all_databases"] else FORMATS[form](reports[0]))
        level = options["fail_level"]
        ends = {
            report.exit_code(check=options["check"], planned=planned, fail_level=level): report for report in reports
        }
        if code := max(ends, default=0):
            raise CommandError(self._why(ends[code]), returncode=code)

    def _explain(self, options: dict[str, Any]) -> None:
        """Print one object instead of a run."""
        if options["all_databases"] or options["check"] or options["fail_level"]:
            raise CommandError(
                "--explain only tells, of one database: leave out --all-databases, --check and --fail-level."
            )
        if options["format"] not in {"text", "json"}:
            raise CommandError("--explain is told as text or json.")
        told = explain(options["explain"], using=options["database"], plugins=options["plugins"])
        as_text = options["format"] == "text"
        self.console.say(explanation_text(told, self.style) if as_text else explanation_json(told))

    def _draw(self, options: dict[str, Any]) -> None:
        """Write a picture instead of a run."""
        from agentsql import diagram, graphviz  # noqa: PLC0415 few ask

        if any(options[name] for name in ("all_databases", "plan", "check", "explain", "fail_level", "widen")):
            raise CommandError("--diagram only draws: give it no option but --database and the plugins.")
        connection = session.named(options["database"])
        plugins = discover(connection, named=conf.load().plugins, only=options["plugins"])
        drawn = diagram.of_models(plugins, connection)
        written = graphviz.rendered(drawn, options["diagram"])
        if options["diagram"] == graphviz.STDOUT:
            self.console.say(written)
            return
        try:
            Path(options["diagram"]).write_text(written, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"Can't write the diagram: {error}") from error
        if options["verbosity"] > 0:
            tables, keys = count("table", len(drawn.boxes)), count("foreign key", len(drawn.arrows))
            self.console.say(f"Wrote {options['diagram']}: {tables}, {keys}.")

    def _each(self, options: dict[str, Any]) -> Iterator[Report]:
        """Run on every PostgreSQL database; one that can't be used keeps nothing from the others."""
        for alias in connections:
            try:
                report = self._run_if_ours(alias, options)
            except UnknownPlugin:
                raise  # unknown to all of them
            except (AgentSQLError, ImproperlyConfigured) as error:
                report = _unusable(alias, error)
                self._show(report, options)
            if report is not None:
                yield report
                if report.status is Status.STOPPED:
                    return

    def _run_if_ours(self, alias: str, options: dict[str, Any]) -> Report | None:
        connection = connections[alias]
        if connection.vendor == "postgresql":
            if options["format"] == "text" and options["verbosity"] > 0:
                self.console.say(self._heading(alias))
            return self._run(options | {"database": alias})
        if options["verbosity"] > 0:
            self.console.tell(Notice(text=f"The database {alias!r} is {connection.display_name}: left alone."))
        return None

    def _run(self, options: dict[str, Any]) -> Report:
        report = run(
            using=options["database"],
            plugins=options["plugins"],
            plan_only=options["plan"] or options["check"],
            atomic=options["atomic"],
            allow_rewrite=options["allow_rewrite"],
            rename_guess=options["rename_guess"],
            widen=options["widen"],
            zone=options["zone"],
            lock_timeout=options["lock_timeout"],
            lock_wait=options["lock_wait"],
            tell=self.console.tell,
        )
        self._show(report, options)
        return report

    def _show(self, report: Report, options: dict[str, Any]) -> None:
        """Print what people read of a report: all of it, or what has not been streamed."""
        verbosity = options["verbosity"]
        worth_it = any(finding.level >= WARNING for finding in report.findings)
        quiet = verbosity == 0 and report.status is Status.CONVERGED and not worth_it
        if options["format"] == "text" and not quiet:
            if options["all_databases"] and verbosity == 0:
                self.console.say(self._heading(report.alias))
            tail_only = self.console.steps or verbosity == 0
            render = text_tail if tail_only else text
            self.console.say(render(report, self.style, verbosity))

    def _heading(self, alias: str) -> str:
        return self.style.MIGRATE_HEADING(f"Database {alias!r}:")

    def _why(self, report: Report) -> str:
        reasons = {
            Status.PENDING: "The schema is behind the models: run `manage.py automigrate`.",
            Status.BLOCKED: "Part of the schema could not be made; see the findings.",
            Status.STOPPED: "Stopped by Ctrl-C; what was made stays, and automigrate makes the rest when run again.",
            Status.FAILED: "Some steps failed; what does not depend on them was made.",
        }
        if report.status in {Status.BLOCKED, Status.CONVERGED} and report.complete and report.looked:
            differs = max(report.findings, key=lambda finding: finding.level) in report.differences
            what = "differs from the models" if differs else "something else failed"
            return f"The schema is complete, but {what}; see the findings."
        refused = report.status is Status.PENDING and any(map(_refuses, report.findings))
        return reasons[report.status] + (" The findings tell what it can't make." if refused else "")
