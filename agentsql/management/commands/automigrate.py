"""Parse, call, render; the engine thinks."""

from __future__ import annotations

import gc
import logging
import math
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from agentsql.console import Console
from agentsql.engine import run
from agentsql.exceptions import AgentSQLError
from agentsql.renderers import FORMATS, text, text_tail
from agentsql.report import INTERRUPTED, Report, Status

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


class Command(BaseCommand):
    help = "Make the PostgreSQL schema hold all that the plugins' models need. Adds only; reads no migrations."
    requires_system_checks = []  # the models are all that matters, and checks cost more than the run

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("plugins", nargs="*", metavar="app_label", help="Only these plugins (default: all).")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, metavar="ALIAS", help="The database alias.")
        parser.add_argument("--plan", action="store_true", help="Show what would run; change nothing.")
        parser.add_argument("--check", action="store_true", help="Change nothing; exit 1 if anything is missing.")
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

    def run_from_argv(self, argv: list[str]) -> None:
        gc.freeze()  # the models live as long as this process: the collector need not look among them
        super().run_from_argv(argv)

    def handle(self, *_: Any, **options: Any) -> None:
        logging.getLogger("psycopg").addHandler(logging.NullHandler())  # a lost connection is told once, by our error
        planned = options["plan"] or options["check"]
        streamed = options["format"] == "text" and not planned
        console = Console(self.stdout, self.stderr, self.style, options["verbosity"], steps=streamed)
        try:
            report = run(
                using=options["database"],
                plugins=options["plugins"],
                plan_only=planned,
                atomic=options["atomic"],
                allow_rewrite=options["allow_rewrite"],
                lock_timeout=options["lock_timeout"],
                lock_wait=options["lock_wait"],
                tell=console.tell,
            )
        except (AgentSQLError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError(
                "Interrupted; run automigrate again, it goes on from what there is.", returncode=INTERRUPTED
            ) from error
        if options["format"] != "text":
            console.say(FORMATS[options["format"]](report))
        elif options["verbosity"] > 0 or report.status is not Status.CONVERGED or report.findings:
            tail_only = streamed or options["verbosity"] == 0
            whole = text_tail(report, self.style) if tail_only else text(report, self.style, options["verbosity"])
            console.say(whole)
        if code := report.exit_code(check=options["check"], planned=planned):
            raise CommandError(self._why(report), returncode=code)

    def _why(self, report: Report) -> str:
        reasons = {
            Status.PENDING: "The schema is behind the models: run `manage.py automigrate`.",
            Status.BLOCKED: "Part of the schema could not be made; see the findings.",
            Status.STOPPED: "Stopped by Ctrl-C; what was made stays, and automigrate makes the rest when run again.",
            Status.FAILED: "Some steps failed; what does not depend on them was made.",
        }
        refused = report.status is Status.PENDING and any(finding.is_serious() for finding in report.findings)
        return reasons[report.status] + (" The findings tell what it can't make." if refused else "")
