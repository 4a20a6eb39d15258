"""What a report adds up to, in words that several formats share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agentsql.report import LEVELS, WIDENED, Report, Result, Status, level
from agentsql.schema import Kind

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

LABELS = {Kind.UNIQUE: "unique constraint", Kind.EXCLUSION: "exclusion constraint", Kind.NAMESPACE: "schema"}
PLURALS = {"index": "indexes", "piece of information": "pieces of information"}
TOLD = {"info": "piece of information"}  # of the levels


def count(label: str, number: int) -> str:
    """Return "1 index" or "2 indexes"."""
    return f"{number} {label if number == 1 else PLURALS.get(label, label + 's')}"


def summary(report: Report) -> str:
    """Return what was made, is to be made, or is missing; it ends in a colon where all the findings are differences."""
    took = f"in {report.seconds:.2f} s"
    if report.status is Status.PENDING:
        return f"To make: {_made(report)}."
    trouble = []
    if unmade := sum(outcome.result is not Result.DONE for outcome in report.outcomes):
        trouble.append(f"{unmade} of {len(report.outcomes)} steps did not succeed")
    if report.remaining:
        trouble.append(f"{count('object', report.remaining)} still missing")
    if report.outcomes:
        return "; ".join([f"{_made(report) or 'Nothing made'} {took}", *trouble]) + "."
    if not (report.complete and report.looked):
        return "; ".join(trouble or ["Nothing was made"]) + f", {took}."
    return _nothing_to_make(report)


def _nothing_to_make(report: Report) -> str:
    if not report.plugins:
        return "Nothing to do: no plugin has models on this database."
    owners = "1 plugin's" if len(report.plugins) == 1 else f"{len(report.plugins)} plugins'"
    if not report.differences:
        return f"Nothing to do: the schema holds all of {owners} models."
    told = count("difference", len(report.differences))
    end = ":" if report.differences == report.findings else "."
    return f"Nothing to add to the schema for {owners} models; {told} left as found{end}"


def _made(report: Report) -> str:
    """Count what the steps show: a table with its columns, anything else once."""
    kinds: Counter[Kind] = Counter()
    for outcome in report.outcomes:
        if outcome.result in {Result.DONE, Result.PENDING}:
            step = outcome.step
            shown = {Kind.TABLE, Kind.COLUMN} if step.key.kind is Kind.TABLE else {step.key.kind}
            kinds.update(key.kind for key in step.creates if key.kind in shown)
    made = [count(LABELS.get(kind, kind.label), kinds[kind]) for kind in sorted(kinds)]
    widened = report.counts.get(WIDENED, 0)
    return ", ".join([*made, count(WIDENED, widened)] if widened else made)


def tally(findings: tuple[CheckMessage, ...]) -> str:
    """Return "1 error, 2 warnings"."""
    levels = Counter(map(level, findings))
    return ", ".join(count(TOLD.get(name, name), levels[name]) for name in LEVELS if levels[name])


def ranked(findings: tuple[CheckMessage, ...]) -> list[CheckMessage]:
    """Return errors first, then warnings, then information, each in the order found."""
    return sorted(findings, key=lambda finding: -finding.level)
