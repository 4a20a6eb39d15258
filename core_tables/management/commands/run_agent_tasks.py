"""The worker on the command line: reads what is asked for, starts it, and tells."""

import logging
import signal
import threading
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, ProgrammingError, connections

from core_tables.models import Agent
from core_tables.querysets.task_sql import CENTURY
from core_tables.worker import discover
from core_tables.worker.attempt import Ended, Outcome
from core_tables.worker.loop import Worker
from core_tables.worker.terms import Terms

GIVEN_BACK = 3  # the exit code where tasks were not done in time


def seconds(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1
    if not 0 <= number <= CENTURY.total_seconds():
        raise ArgumentTypeError(f"{value} is not a number of seconds, a century at most")
    return number


def positive_seconds(value: str) -> float:
    number = seconds(value)
    if not number:
        raise ArgumentTypeError("has to be above 0")
    return number


def number(value: str) -> int:
    if not value.isdecimal() or not int(value):
        raise ArgumentTypeError(f"{value} is not a number of 1 or more")
    return int(value)


class Command(BaseCommand):
    help = (
        "Do the tasks of enabled agents as they become due. SIGTERM and SIGINT let what is at work finish. "
        "Exit code 1: a task failed, with --drain; 3: tasks did not finish in time and were given back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--agent", action="append", help="Only tasks of this agent, by id or name; may be repeated.")
        add("--tag", action="append", default=[], help="Only tasks with this tag; repeated: with all of them.")
        add("--concurrency", type=number, default=1, metavar="N", help="How many tasks at once, in threads (1).")
        add(
            "--lease",
            type=positive_seconds,
            default=300.0,
            help="Seconds until others take a killed worker's tasks (300).",
        )
        add("--poll", type=positive_seconds, default=1.0, help="Seconds between two looks while nothing is due (1).")
        add("--grace", type=seconds, default=25.0, help="Seconds that tasks at work are given on a stop (25).")
        add("--drain", action="store_true", help="Stop when nothing is due.")
        add("--name", default="", help="What to call this worker in the table (host:process).")
        add("--database", default=DEFAULT_DB_ALIAS, metavar="ALIAS", help="The database with the tasks.")

    def handle(self, *_: Any, **options: Any) -> None:
        logging.getLogger("psycopg").addHandler(logging.NullHandler())  # a lost connection is told once, by us
        self.level = options["verbosity"]
        names = tuple(discover())
        if not names:
            raise CommandError(
                "Nothing here does tasks: put a function with @agent_task into agent_tasks.py of an app."
            )
        worker = Worker(self._terms(names, options), tell=self._tell, trouble=self._trouble)
        self._say(1, f"{worker.name} does {', '.join(names)}, {options['concurrency']} at once.")
        started = time.monotonic()
        with _stopping(worker):
            try:
                worker.run()
            except ProgrammingError as error:
                raise CommandError(f"The tasks can't be read: {error} Run `manage.py automigrate`.") from error
        self._sum_up(worker, time.monotonic() - started)
        if worker.given_back:
            raise CommandError(f"Given back: {_listed(worker.given_back)}.", returncode=GIVEN_BACK)
        if options["drain"] and worker.counts[Outcome.FAILED]:
            raise CommandError("Some tasks failed; see last_error of them.")

    def _terms(self, names: tuple[str, ...], options: dict[str, Any]) -> Terms:
        if options["database"] not in connections:
            raise CommandError(f"DATABASES has no {options['database']!r}.")
        wanted = options["agent"]
        return Terms(
            using=options["database"],
            names=names,
            agents=None if wanted is None else tuple(_agent(told, options["database"]) for told in wanted),
            tags=tuple(options["tag"]),
            **{key: options[key] for key in ("concurrency", "lease", "poll", "grace", "drain", "name")},
        )

    def _tell(self, ended: Ended) -> None:
        task = ended.task
        line = f"{task.name} {task.pk}: {ended.outcome}, attempt {ended.number}, {ended.seconds:.2f} s"
        if ended.outcome is Outcome.DONE:
            self._say(2, self.style.SUCCESS(line))
            return
        if ended.outcome is Outcome.RETRY:
            line += f", again at {task.run_at:%Y-%m-%d %H:%M:%S %Z}"
        if ended.error is not None:
            told = str(ended.error).strip().splitlines()
            line += f": {type(ended.error).__name__}: {told[0] if told else ''}"
        self._say(1, self.style.WARNING(line) if ended.outcome is Outcome.RETRY else self.style.ERROR(line))

    def _trouble(self, text: str) -> None:
        self.stderr.write(self.style.WARNING(text))

    def _say(self, level: int, text: str) -> None:
        if self.level >= level:
            self.stdout.write(text)
            self.stdout.flush()

    def _sum_up(self, worker: Worker, spent: float) -> None:
        counted = ", ".join(f"{worker.counts[outcome]} {outcome}" for outcome in Outcome)
        self._say(1, f"{counted}, {len(worker.given_back)} given back, in {spent:.1f} s.")


def _agent(told: str, using: str) -> UUID:
    try:
        found = [UUID(told)]
    except ValueError:
        found = list(Agent.objects.using(using).filter(name=told).values_list("pk", flat=True)[:2])
    else:
        found = list(Agent.objects.using(using).filter(pk=found[0]).values_list("pk", flat=True))
    if len(found) != 1:
        why = "is the name of several agents: give the id" if found else "is no agent"
        raise CommandError(f"{told!r} {why}.")
    return found[0]


def _listed(tasks: list[Any]) -> str:
    more = len(tasks) - 10
    return ", ".join(f"{task.name} {task.pk}" for task in tasks[:10]) + (f" and {more} more" if more > 0 else "")


@contextmanager
def _stopping(worker: Worker) -> Iterator[None]:
    """Let the signals that ask a process to end stop the worker instead."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, lambda *_: worker.stop())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
