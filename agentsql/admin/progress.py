"""A run that a browser watches: in a thread with connections of its own, each line as the command would print it.

Closing the page does not end the run; ending the process does, and then the next run goes on from what there is.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import OutputWrapper
from django.core.management.color import no_style
from django.db import connections

from agentsql.console import Console
from agentsql.engine import run
from agentsql.exceptions import AgentSQLError
from agentsql.renderers import text_tail
from agentsql.renderers.words import summary
from agentsql.report import EVERY, Report, Status

HEARTBEAT_SECONDS = 10.0  # of silence, before a sign of life keeps proxies from giving up
ENDS = {
    Status.CONVERGED: "The schema is complete.",
    Status.BLOCKED: "Part of the schema could not be made; the findings tell why.",
    Status.FAILED: "Some steps failed; what does not depend on them was made.",
}
logger = logging.getLogger(__name__)


class Verdict(NamedTuple):
    """How a run ended."""

    good: bool
    words: str


class _Lines(io.TextIOBase):
    """A stream whose words go to whoever watches."""

    def __init__(self, watched: SimpleQueue[str | Verdict]) -> None:
        self.watched = watched

    def write(self, words: str) -> int:
        self.watched.put(words)
        return len(words)


def start(alias: str, done: Callable[[Verdict], None]) -> Iterator[str | Verdict]:
    """Start a run, and yield what it says as it happens, "" after a long silence, and its verdict at the end.

    Args:
        alias: of the database.
        done: called with the verdict in the thread of the run, whether or not anybody still watches.
    """
    watched: SimpleQueue[str | Verdict] = SimpleQueue()
    Thread(target=_work, args=(alias, watched, done), name=f"automigrate {alias}", daemon=True).start()
    return _watch(watched)


def _watch(watched: SimpleQueue[str | Verdict]) -> Iterator[str | Verdict]:
    said: str | Verdict = ""
    while not isinstance(said, Verdict):
        try:
            said = watched.get(timeout=HEARTBEAT_SECONDS)
        except Empty:
            said = ""
        yield said


def _work(alias: str, watched: SimpleQueue[str | Verdict], done: Callable[[Verdict], None]) -> None:
    verdict = Verdict(good=False, words="The run broke off; the server's log tells why.")
    stream = OutputWrapper(_Lines(watched))  # type: ignore[arg-type]
    console = Console(stream, stream, no_style(), 1, steps=EVERY)
    try:
        report = run(using=alias, tell=console.tell)
        console.say(text_tail(report))
        verdict = _verdict(report)
    except (AgentSQLError, ImproperlyConfigured) as error:
        verdict = Verdict(good=False, words=str(error))
    except Exception:
        logger.exception("automigrate of %r, started in the admin, broke off", alias)
    try:
        done(verdict)
    except Exception:
        logger.exception("how automigrate of %r ended could not be noted: %s", alias, verdict.words)
    finally:
        connections.close_all()
        watched.put(verdict)


def _verdict(report: Report) -> Verdict:
    good = report.status is Status.CONVERGED
    if not good and report.complete:
        return Verdict(good, f"The schema is complete, but the findings tell of trouble. {summary(report)}")
    return Verdict(good, f"{ENDS[report.status]} {summary(report)}")
