"""What a run did and what it found: frozen values, and the verdict they add up to. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from django.core.checks import ERROR, INFO, WARNING, CheckMessage

from agentsql.step import Step

INTERRUPTED = 130  # what a shell reports of a program that Ctrl-C ended: 128 + SIGINT

LEVELS = {"error": ERROR, "warning": WARNING, "info": INFO}  # of findings, the worst first
AFTERWARDS = frozenset({"agentsql.D021", "agentsql.D105"})  # findings on what a run does after the schema


class Result(StrEnum):
    """What became of a step."""

    PENDING = "pending"  # planned, not run
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"  # needs one that failed
    STOPPED = "stopped"  # by Ctrl-C, during it or before it began


EVERY = frozenset(Result)
WIDENED = "widened column"
TROUBLE = EVERY - {Result.DONE}


class Status(StrEnum):
    """What became of the schema."""

    CONVERGED = "converged"
    PENDING = "pending"
    BLOCKED = "blocked"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a step failed: the server's words, the next step for a person, and the rows that are in the way.

    statement: the one that failed; "" where that is not known.
    """

    message: str
    hint: str = ""
    sqlstate: str = ""
    statement: str = ""
    finding: CheckMessage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A step and what became of it; `seconds` is its own time; in a pipeline the server's, without round trips."""

    step: Step
    result: Result
    seconds: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a step is that takes longer than a moment; `total` is 0 where nobody knows."""

    step: Step
    doing: str
    done: int = 0
    total: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence about what the run waits for."""

    text: str


def made(outcomes: Iterable[Outcome]) -> int:
    """Return how many objects were made."""
    return sum(len(outcome.step.creates) for outcome in outcomes if outcome.result is Result.DONE)


def stopped(outcomes: Iterable[Outcome]) -> bool:
    """Tell whether Ctrl-C ended a run."""
    return any(outcome.result is Result.STOPPED for outcome in outcomes)


def level(finding: CheckMessage) -> str:
    """Return a finding's level by name."""
    return next((name for name, least in LEVELS.items() if finding.level >= least), "info")


def names(finding: CheckMessage, name: str) -> bool:
    """Tell whether the message of a finding has a name in it, as a word."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", finding.msg) is not None


Event: TypeAlias = Outcome | Progress | Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run on one database.

    alias: of the database among the project's.
    remaining: how many missing objects a second plan found after the run, or would find if it were run now.
    incomplete: the plugins that these are of.
    looked: False where the database could not even be looked at; a finding says why.
    """

    database: str
    plugins: tuple[str, ...]
    alias: str = "default"
    outcomes: tuple[Outcome, ...] = ()
    findings: tuple[CheckMessage, ...] = ()
    remaining: int = 0
    incomplete: frozenset[str] = frozenset()
    seconds: float = 0.0
    looked: bool = True

    @property
    def status(self) -> Status:
        results = {outcome.result for outcome in self.outcomes}
        if stopped(self.outcomes):
            return Status.STOPPED
        if Result.FAILED in results:
            return Status.FAILED
        if Result.PENDING in results:
            return Status.PENDING
        obstacles = any(finding.is_serious() for finding in self.findings)
        return Status.BLOCKED if self.remaining or obstacles else Status.CONVERGED

    @property
    def complete(self) -> bool:
        """Tell whether the schema is all there, though something else may have failed: a receiver, for one."""
        return not self.remaining and not self.incomplete

    @property
    def counts(self) -> dict[str, int]:
        """Objects by kind that were made, or that would be: `{"table": 13, "column": 88, "widened column": 1}`."""
        steps = [outcome.step for outcome in self.outcomes if outcome.result in {Result.DONE, Result.PENDING}]
        kinds = Counter(key.kind for step in steps for key in step.creates)
        widened = sum(step.widens for step in steps)
        return {kind.label: kinds[kind] for kind in sorted(kinds)} | ({WIDENED: widened} if widened else {})

    @property
    def differences(self) -> tuple[CheckMessage, ...]:
        """The findings on the schema itself."""
        return tuple(finding for finding in self.findings if finding.id not in AFTERWARDS)

    def exit_code(self, *, check: bool = False, planned: bool = False, fail_level: str = "") -> int:
        """Return 0 for a converged schema or a printed plan; 1 when something failed, was refused or is pending.

        Args:
            check: count pending as a failure.
            planned: the plan was asked for, so that being able to print it is success.
            fail_level: of LEVELS; a finding of this level or a worse one is a failure, also of a plan.
        """
        if self.status is Status.STOPPED:
            return INTERRUPTED
        if fail_level and any(finding.level >= LEVELS[fail_level] for finding in self.findings):
            return 1
        if self.status is Status.CONVERGED:
            return 0
        return 0 if planned and self.looked and not check else 1
