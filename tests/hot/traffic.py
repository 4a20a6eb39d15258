"""The loops, in a process of their own: what they feel must not come from whoever measures."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Self

import psycopg

from tests.hot.loops import PATIENCE_SECONDS, Felt

ROOT = Path(__file__).resolve().parent.parent.parent


class Traffic:
    """All loops, from the start of the block to `stop`."""

    def __init__(self, conninfo: str, rows: int, quiet: int) -> None:
        self.order = json.dumps({"conninfo": conninfo, "rows": rows, "quiet": quiet})

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.hot.loops"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        answer = self._ask(self.order)
        if answer != "ready\n":
            raise AssertionError(f"no traffic: {answer}")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def lap(self) -> dict[str, Felt]:
        """Return what the loops felt since the last time."""
        return _read(self._ask("lap"))

    def stop(self) -> dict[str, Felt]:
        """Let the loops end what they are doing, and return what they felt since the last time."""
        return _read(self.process.communicate("stop\n", timeout=PATIENCE_SECONDS)[0])

    def _ask(self, line: str) -> str:
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


def _read(answer: str) -> dict[str, Felt]:
    return {kind: Felt(**felt) for kind, felt in json.loads(answer).items()}


def worst(felt: dict[str, Felt]) -> float:
    return max(loop.worst for loop in felt.values())


@contextmanager
def held(conninfo: str, seconds: float) -> Iterator[None]:
    """Have a transaction open that has read the busy table and ends after so many seconds."""
    with psycopg.connect(conninfo) as session:
        session.execute("SELECT FROM plug_thing LIMIT 1")
        timer = Timer(seconds, session.commit)
        timer.start()
        try:
            yield
        finally:
            timer.join()
