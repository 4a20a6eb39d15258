"""Programs with the old code that go on reading and writing.

    python -m tests.hot.loops

reads a line {"conninfo": ..., "rows": ..., "quiet": ...}, says "ready" when every loop has done something, and answers
each further line with what was felt since the last one; "stop" is the last line. Statements name their columns, as
Django's do, and psycopg prepares them on the server.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from statistics import quantiles
from threading import Event, Thread
from typing import Any

import psycopg

OWNERS = 1000
PAUSE_SECONDS = 0.004  # the longest between two transactions: busy, but the machine has room for more
PATIENCE_SECONDS = 120
SHOWN = 5  # errors
THING = "SELECT id, kind, title, amount, proof FROM plug_thing WHERE id = %s"
THINGS = "SELECT count(*), sum(amount) FROM plug_thing WHERE id BETWEEN %s AND %s"
NEW = "INSERT INTO plug_thing (kind, title, code, price, amount, proof, owner_id) VALUES (%s, %s, %s, 5, 0, %s, %s)"
COUNTED = "UPDATE plug_thing SET amount = amount + 1, proof = md5(title || amount + 1) WHERE id = %s"
OWNER = "SELECT id, name, seen FROM plug_owner WHERE id = %s"
OWNER_SEEN = "UPDATE plug_owner SET seen = seen + 1 WHERE id = %s"

Statement = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Place:
    """Rows that are read have ids up to `rows`; those that are updated, above `quiet`."""

    rows: int
    quiet: int

    def read(self) -> int:
        return random.randint(1, self.rows)

    def update(self) -> Statement:
        return COUNTED, (random.randint(self.quiet + 1, self.rows),)


def new(number: int) -> Statement:
    title = f"new {number}"
    proof = hashlib.md5(f"{title}0".encode(), usedforsecurity=False).hexdigest()
    return NEW, (number % 50, title, f"n{number}", proof, 1 + number % OWNERS)


def owner() -> tuple[int]:
    return (random.randint(1, OWNERS),)


LOOPS: dict[str, Callable[[Place, int], list[Statement]]] = {
    "read row": lambda place, _: [(THING, (place.read(),))],
    "read range": lambda place, _: [(THINGS, ((low := place.read()), low + 20))],
    "insert": lambda _, number: [new(number)],
    "update": lambda place, _: [place.update()],
    "update both": lambda place, _: [("BEGIN", ()), (OWNER_SEEN, owner()), place.update(), ("COMMIT", ())],
    "read owner": lambda *_: [(OWNER, owner())],
    "update owner": lambda *_: [(OWNER_SEEN, owner())],
}


@dataclass(slots=True)
class Felt:
    """What one loop felt; latencies are of single statements, in seconds."""

    transactions: int = 0
    failed: int = 0
    errors: list[str] = field(default_factory=list)
    worst: float = 0.0
    p99: float = 0.0


class Loop(Thread):
    """One program on one connection."""

    def __init__(self, kind: str, conninfo: str, place: Place, stop: Event) -> None:
        super().__init__()
        self.kind, self.conninfo, self.place, self.stop = kind, conninfo, place, stop
        self.started = Event()
        self.felt, self.latencies = Felt(), [0.0, 0.0]

    def run(self) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as session:
            for number in count():
                if self.stop.is_set():
                    return
                self.transact(session, LOOPS[self.kind](self.place, number))
                self.started.set()
                time.sleep(random.uniform(0, PAUSE_SECONDS))

    def transact(self, session: psycopg.Connection[Any], statements: Sequence[Statement]) -> None:
        try:
            for statement in statements:
                self.execute(session, statement)
        except psycopg.Error as error:
            self.felt.failed += 1
            self.felt.errors = [*self.felt.errors, str(error)][:SHOWN]
            session.rollback()
        else:
            self.felt.transactions += 1

    def execute(self, session: psycopg.Connection[Any], statement: Statement) -> None:
        start = time.perf_counter()
        try:
            session.execute(*statement)
        finally:
            self.latencies.append(time.perf_counter() - start)

    def lap(self) -> dict[str, Any]:
        """Return what was felt, and begin anew."""
        felt, latencies = self.felt, self.latencies
        self.felt, self.latencies = Felt(), [0.0, 0.0]
        felt.worst, felt.p99 = max(latencies), quantiles(latencies, n=100)[-1]
        return asdict(felt)


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 it is what this program is for


def drive(loops: Sequence[Loop], stop: Event) -> None:
    """Run the loops, and answer on standard output."""

    def answer() -> None:
        say(json.dumps({loop.kind: loop.lap() for loop in loops}))

    for loop in loops:
        loop.start()
    for loop in loops:
        loop.started.wait(PATIENCE_SECONDS)
    say("ready")
    for line in sys.stdin:
        if line == "stop\n":
            break
        answer()
    stop.set()
    for loop in loops:
        loop.join()
    answer()


if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    ended = Event()
    where = Place(rows=given["rows"], quiet=given["quiet"])
    drive([Loop(kind, given["conninfo"], where, ended) for kind in LOOPS], ended)
