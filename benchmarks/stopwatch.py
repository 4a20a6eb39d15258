"""Wall time of whole programs, start of the interpreter included, as whoever waits for them feels it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

Trial = Callable[[], float]


class Failed(SystemExit):
    """A program failed, so that there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Done:
    seconds: float
    stdout: str


def run(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> Done:
    """Run a program to its end."""
    start = time.perf_counter()
    ended = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if ended.returncode:
        raise Failed(f"{' '.join(command)} failed:\n{ended.stdout[-2000:]}{ended.stderr[-4000:]}")
    return Done(seconds, ended.stdout)


def medians(trials: Mapping[str, Trial], rounds: int) -> dict[str, float]:
    """Return each trial's median of so many rounds; every other round goes backwards, so that a drift hits all."""
    seconds: dict[str, list[float]] = {name: [] for name in trials}
    for number in range(rounds):
        names = list(trials)[:: -1 if number % 2 else 1]
        for name in names:
            seconds[name].append(trials[name]())
    return {name: median(values) for name, values in seconds.items()}
