"""What people read: each step as a line, how far a long one is, findings and a summary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from django.core.checks import WARNING
from django.core.management.color import no_style

from agentsql.brevity import LINE_BREAK
from agentsql.renderers.words import count, ranked, summary, tally
from agentsql.report import Outcome, Progress, Report, Result, Status, level, names
from agentsql.schema import Kind
from agentsql.step import Step

if TYPE_CHECKING:
    from django.core.checks import CheckMessage
    from django.core.management.color import Style

WIDTH = 66
BAR = 20
ALL_SHOWN = 2  # the verbosity that shows information, too


def text(report: Report, style: Style | None = None, verbosity: int = 1) -> str:
    """Return every step and the tail, for a report whose steps were not shown as they happened."""
    previous: Outcome | None = None
    lines = []
    for outcome in report.outcomes:
        lines.append(text_step(outcome, previous, style, verbosity))
        previous = outcome
    return "\n".join([*lines, text_tail(report, style, verbosity)])


def text_step(outcome: Outcome, previous: Outcome | None = None, style: Style | None = None, verbosity: int = 1) -> str:
    """Return one step's line, under a heading where its plugin or table differs from the previous one's."""
    style = style or no_style()
    step = outcome.step
    lines = []
    if previous is None or _heading(previous.step) != _heading(step):
        lines.append(style.MIGRATE_HEADING(_heading(step)))
    if step.key.table.name and (
        previous is None or (previous.step.app, previous.step.key.table) != (step.app, step.key.table)
    ):
        lines.append(f"  {style.MIGRATE_LABEL(str(step.key.table))}")
    lines.append(_step_line(outcome, style))
    for action in step.actions if verbosity > 1 else ():
        if outcome.result is not Result.FAILED:  # a failure shows its own
            lines += [f"        {sql};" for sql in action.sql]
        if verbosity > 2:  # noqa: PLR2004 Django's levels
            lines.append(f"        lock: {action.lock or 'none'}; transaction: {action.mode}")
    return "\n".join(lines)


def _step_line(outcome: Outcome, style: Style) -> str:
    step = outcome.step
    columns = sum(key.kind is Kind.COLUMN for key in step.creates)
    what = f"table, {count('column', columns)}" if step.key.kind is Kind.TABLE else f"{step.key.kind.label} {step.name}"
    indent = "    " if step.key.table.name else "  "
    sign = "~" if step.widens else "+"
    if outcome.result is Result.PENDING:
        return f"{indent}{sign} {what}"
    if outcome.result is Result.STOPPED:
        return f"{indent}- {what} ".ljust(WIDTH) + style.WARNING("NOT MADE")
    if outcome.result is Result.DONE:
        return f"{indent}{sign} {what} ".ljust(WIDTH) + f"{style.SUCCESS('OK')} {outcome.seconds:.3f} s"
    failure = outcome.failure
    line = f"{indent}! {what} ".ljust(WIDTH) + style.ERROR(outcome.result.value.upper())
    if failure is None:
        return line
    details = [line, f"{indent}  {failure.message}"]
    if outcome.result is Result.FAILED:
        failed = (failure.statement,) if failure.statement else step.sql
        details += [f"{indent}  {sql};" for sql in failed]
        details.append(f"{indent}  HINT: {failure.hint}")
    return "\n".join(details)


def text_progress(progress: Progress) -> str:
    """Return how far a step is: a bar where the server tells, else the time it has taken."""
    step = progress.step
    what = f"    … {step.key.kind.label} {step.name}: {progress.doing}"
    if not progress.total:
        return f"{what}, {progress.seconds:.0f} s"
    share = min(progress.done / progress.total, 1)
    bar = "#" * round(share * BAR)
    return f"{what} [{bar:<{BAR}}] {share:4.0%}, {progress.seconds:.0f} s"


LEVEL_HEADINGS = {"error": "Errors", "warning": "Warnings", "info": "Information"}


def text_tail(report: Report, style: Style | None = None, verbosity: int = 1) -> str:
    """Return the summary and the findings, the worst first; information is only counted below verbosity 2."""
    style = style or no_style()
    paint = {Status.CONVERGED: style.SUCCESS, Status.PENDING: style.WARNING, Status.STOPPED: style.WARNING}.get(
        report.status, style.ERROR
    )
    first, *others = _summary(report, verbosity)
    shown = [finding for finding in ranked(report.findings) if verbosity >= ALL_SHOWN or finding.level >= WARNING]
    return "\n".join([paint(first), *others, *_under_headings(shown, style)])


def _under_headings(shown: Sequence[CheckMessage], style: Style) -> Iterator[str]:
    """Yield findings, each level's under its name where there are several."""
    levels = {level(finding) for finding in shown}
    for name, found in groupby(shown, key=level):
        if len(levels) > 1:
            yield f"{LEVEL_HEADINGS[name]}:"
        yield from (text_finding(finding, style) for finding in found)


def _summary(report: Report, verbosity: int) -> Iterator[str]:
    """Yield the summary, with the findings by level: after its colon, or as a line of their own."""
    words, found = summary(report), report.findings
    hidden = sum(finding.level < WARNING for finding in found) if verbosity == 1 else 0
    hint = f" (-v 2 shows {'it' if hidden == 1 else 'them'})" if hidden else ""
    if words.endswith(":"):
        yield f"{words} {tally(found)}{hint}."
        return
    yield words
    if found:
        yield f"{count('finding', len(found))}: {tally(found)}{hint}."


def text_finding(finding: CheckMessage, style: Style) -> str:
    """Return one finding with its hint; its object comes first where the message does not name it."""
    named = all(names(finding, word) for word in re.findall(r"\w+", str(finding.obj)))
    whose = "" if named else f"{finding.obj}: "
    lines = [f"{whose}({finding.id}) {finding.msg}"]
    if finding.hint:
        lines.append(f"    HINT: {finding.hint}")
    words = "\n".join(LINE_BREAK.sub(" ", line) for line in lines)  # what is quoted must not look like a finding
    return {"error": style.ERROR, "warning": style.WARNING}.get(level(finding), str)(words)


def _heading(step: Step) -> str:
    return f"{step.app}, foreign keys" if step.key.kind is Kind.FOREIGN_KEY else step.app
