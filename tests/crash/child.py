"""The process that is killed: it runs the engine on tables in use, and can end itself at a chosen statement.

It is run as a program with the path of its log. Each line of its input is an order, as JSON, for a fork of it, which
saves the start of Python and Django; it answers with the fork's pid, and when the fork has ended with its exit code.
"""

import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import django
import psycopg
from django.db import connection, models

from agentsql import attempt, executor, statement
from agentsql.conf import Settings
from agentsql.exceptions import AgentSQLError
from agentsql.report import Event, Outcome
from agentsql.step import Mode

KEEPER = "EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.granted)"


def plugin(*, extension: bool = False) -> Any:
    """Return models that want, of tables in use, every kind of object that is made in several actions."""
    from tests.arena import Registry

    registry = Registry()
    registry.model("Author", id=models.BigAutoField(primary_key=True))
    registry.model(
        "Thing",
        id=models.BigAutoField(primary_key=True),
        n=models.IntegerField(unique=True),
        name=models.CharField(max_length=40),
        by=models.ForeignKey("plug.Author", models.CASCADE, null=True),
        note=models.TextField(null=True),
        flag=models.BooleanField(default=True),
        token=models.UUIDField(default=uuid.uuid4),
        meta={
            "indexes": [models.Index(fields=["-name"], name="thing_name")],
            "constraints": [
                models.UniqueConstraint(fields=["name"], condition=models.Q(n__gt=5), name="thing_once"),
                models.CheckConstraint(condition=models.Q(n__gt=0), name="thing_n"),
            ],
        },
    )
    registry.model("Mark", code=models.IntegerField(primary_key=True), says=models.TextField())
    registry.model("Order", thing=models.ForeignKey("plug.Thing", models.CASCADE), at=models.DateTimeField())
    if extension:
        from pgvector.django import VectorField

        registry.model("Meaning", embedding=VectorField(dimensions=3))
    return registry.plugin(connection)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def terminator(condition: str) -> Callable[[], object]:
    """Return what has the server end connections of ours, and waits until they are gone."""
    here = "datname = current_database() AND application_name = %s"
    ours = f"SELECT pid FROM pg_stat_activity a WHERE {here} AND {condition}"
    cursor = connection.copy().cursor()  # made beforehand: to connect takes longer than most statements
    return lambda: cursor.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM ({ours}) a", [os.environ["PGAPPNAME"]])


class Faulty:
    """Sends statements; before, during or after one of them it dies, or loses a connection."""

    def __init__(self, fault: int = -1, moment: str = "", delay: float = 0) -> None:
        self.fault, self.moment, self.delay = fault, moment, delay
        self.plain = statement.send
        self.sent: list[dict[str, Any]] = []
        for module in (statement, attempt, executor):
            module.send = self.send  # type: ignore[attr-defined]

    def send(self, sql: str, to: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
        moment = self.moment if len(self.sent) == self.fault else ""
        timer = threading.Timer(self.delay, die)
        if moment == "before":
            die()
        if moment == "main":
            timer = threading.Timer(self.delay, terminator(f"pid = {to.info.backend_pid}"))
        if moment in {"during", "main"}:
            timer.start()
        if moment == "keeper":
            terminator(KEEPER)()
        started = time.monotonic()
        self.sent.append({"sql": sql, "seconds": 0})
        try:
            cursor = self.plain(sql, to)
        finally:
            if timer.ident:
                timer.join()
        self.sent[-1]["seconds"] = time.monotonic() - started
        if moment == "after":
            die()
        return cursor


def groups(outcomes: Iterable[Outcome]) -> list[list[str]]:
    """Return the statements that commit together."""
    actions = [action for outcome in outcomes for action in outcome.step.actions]
    shared = [sql for action in actions if action.mode is Mode.SHARED for sql in (*action.sql, executor.CLOCK)]
    return [shared, *(list(action.sql) for action in actions if action.mode is not Mode.SHARED)]


def obey(wanted: Any, *, again: bool = False, **fault: Any) -> int:
    """Run, and again if told so; the report is the last line."""
    from agentsql.engine import converge
    from agentsql.survey import Wishes

    logging.getLogger("psycopg").addHandler(logging.NullHandler())  # as the command does
    faulty, ends = Faulty(**fault), []

    def tell(event: Event) -> None:
        if isinstance(event, Outcome) and not event.step.shared:
            ends.append((str(event.step.key), event.result.value, time.monotonic()))

    started = time.monotonic()
    report = None
    try:
        report = converge(connection, [wanted], Settings(), Wishes(), tell)
        planned = converge(connection, [wanted], Settings(), Wishes(plan_only=True)) if again else report
    except AgentSQLError as error:
        say(error)  # as the command does
    result = {"sent": faulty.sent, "ends": ends, "seconds": time.monotonic() - started}
    if report:
        result |= {
            "status": report.status.value,
            "failures": [str(outcome.failure) for outcome in report.outcomes if outcome.failure],
            "findings": [str(finding) for finding in report.findings],
            "groups": groups(report.outcomes),
            "left": [str(outcome.step.key) for outcome in planned.outcomes] if again else [],
        }
    say(json.dumps(result))
    return 0 if report and report.status.value == "converged" else 1


def say(word: object) -> None:
    print(word, flush=True)  # noqa: T201


def main(log: Path) -> None:
    django.setup()
    wanted = {extension: plugin(extension=extension) for extension in (False, True)}
    for line in sys.stdin:
        order = json.loads(line)
        kill_after = order.pop("kill_after", None)
        pid = os.fork()
        if pid:
            say(pid)
            if kill_after is not None:
                time.sleep(kill_after)
                os.kill(pid, signal.SIGKILL)  # still a zombie if it has ended: nobody else has its pid
            say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            continue
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), sys.stdout.fileno())
        os.dup2(sys.stdout.fileno(), sys.stderr.fileno())
        os.environ["PGAPPNAME"] = order.pop("name", "crash")
        code = 70
        try:
            code = obey(wanted[order.pop("extension", False)], **order)
        except BaseException:  # noqa: BLE001 the fork must not go on as its parent
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
