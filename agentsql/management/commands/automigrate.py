"""Parse, call, render; the engine thinks."""

from __future__ import annotations

import gc
import io
import math
import os
import sys
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import DEFAULT_DB_ALIAS

from agentsql.engine import run
from agentsql.exceptions import AgentSQLError
from agentsql.renderers import FORMATS, text, text_step, text_tail
from agentsql.report import Outcome, Report, Result, Status

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
            help="How long a statement waits for a lock on a table (default: 2).",
        )

    def run_from_argv(self, argv: list[str]) -> None:
        gc.freeze()  # the models live as long as this process: the collector need not look among them
        super().run_from_argv(argv)

    def handle(self, *_: Any, **options: Any) -> None:
        planned = options["plan"] or options["check"]
        streamed = options["format"] == "text" and not planned
        try:
            report = run(
                using=options["database"],
                plugins=options["plugins"],
                plan_only=planned,
                lock_timeout=options["lock_timeout"],
                progress=self._streamer(options["verbosity"]) if streamed else lambda _: None,
                notice=lambda sentence: self.stderr.write(sentence, self.style.NOTICE),
            )
        except (AgentSQLError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        if options["format"] != "text":
            self._say(FORMATS[options["format"]](report))
        elif options["verbosity"] > 0 or report.status is not Status.CONVERGED or report.findings:
            tail_only = streamed or options["verbosity"] == 0
            whole = text_tail(report, self.style) if tail_only else text(report, self.style, options["verbosity"])
            self._say(whole)
        if report.exit_code(check=options["check"], planned=planned):
            raise CommandError(self._why(report))

    def _say(self, words: str) -> None:
        """Print now, before what follows on stderr; a reader that has left (`| head`) must not stop the run."""
        try:
            if words:
                self.stdout.write(words)
            self.stdout.flush()
        except (BrokenPipeError, AttributeError):  # AttributeError: Python has no stdout when it is closed
            self.stdout = OutputWrapper(io.StringIO())
            if sys.stdout is not None:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _streamer(self, verbosity: int) -> Any:
        previous: Outcome | None = None

        def show(outcome: Outcome) -> None:
            nonlocal previous
            if verbosity > 0 or outcome.result is not Result.DONE:
                self._say(text_step(outcome, previous, self.style, verbosity))
                previous = outcome

        return show

    def _why(self, report: Report) -> str:
        reasons = {
            Status.PENDING: "The schema is behind the models: run `manage.py automigrate`.",
            Status.BLOCKED: "Part of the schema could not be made; see the findings.",
            Status.FAILED: "Some steps failed; what does not depend on them was made.",
        }
        return reasons[report.status]
