"""A report as text, JSON or SQL: pure functions, the last and interchangeable step."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.core.management.color import no_style

from agentsql.names import TableName
from agentsql.report import Outcome, Progress, Report, Result, Status
from agentsql.schema import Kind
from agentsql.step import Step

if TYPE_CHECKING:
    from django.core.checks import CheckMessage
    from django.core.management.color import Style

LABELS = {Kind.UNIQUE: "unique constraint", Kind.EXCLUSION: "exclusion constraint", Kind.NAMESPACE: "schema"}
PLURALS = {"index": "indexes"}
WIDTH = 66
BAR = 20


def text(report: Report, style: Style | None = None, verbosity: int = 1) -> str:
    """Return every step and the tail, for a report whose steps were not shown as they happened."""
    previous: Outcome | None = None
    lines = []
    for outcome in report.outcomes:
        lines.append(text_step(outcome, previous, style, verbosity))
        previous = outcome
    return "\n".join([*lines, text_tail(report, style)])


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
    if outcome.result is Result.PENDING:
        return f"{indent}+ {what}"
    if outcome.result is Result.STOPPED:
        return f"{indent}- {what} ".ljust(WIDTH) + style.WARNING("NOT MADE")
    if outcome.result is Result.DONE:
        return f"{indent}+ {what} ".ljust(WIDTH) + f"{style.SUCCESS('OK')} {outcome.seconds:.3f} s"
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


def text_tail(report: Report, style: Style | None = None) -> str:
    """Return the findings and the summary."""
    style = style or no_style()
    paint = {Status.CONVERGED: style.SUCCESS, Status.PENDING: style.WARNING, Status.STOPPED: style.WARNING}.get(
        report.status, style.ERROR
    )
    return "\n".join([paint(_summary(report)), *(_finding(finding, style) for finding in report.findings)])


def _summary(report: Report) -> str:
    made, took = _made(report), f"in {report.seconds:.2f} s"
    if report.status is Status.PENDING:
        return f"To make: {made}."
    trouble = []
    if unmade := sum(outcome.result is not Result.DONE for outcome in report.outcomes):
        trouble.append(f"{unmade} of {len(report.outcomes)} steps did not succeed")
    if report.remaining:
        trouble.append(f"{count('object', report.remaining)} still missing")
    if report.outcomes:
        return "; ".join([f"{made or 'Nothing made'} {took}", *trouble]) + "."
    if report.status is not Status.CONVERGED:
        return "; ".join(trouble or ["Nothing was made"]) + f", {took}."
    if not report.plugins:
        return "Nothing to do: no plugin has models on this database."
    owners = "1 plugin's" if len(report.plugins) == 1 else f"{len(report.plugins)} plugins'"
    if report.findings:
        told = count("difference", len(report.findings))
        return f"Nothing to add to the schema for {owners} models; {told} left as found:"
    return f"Nothing to do: the schema holds all of {owners} models."


def _made(report: Report) -> str:
    """Count what the steps show: a table with its columns, anything else once."""
    kinds: Counter[Kind] = Counter()
    for outcome in report.outcomes:
        if outcome.result in {Result.DONE, Result.PENDING}:
            step = outcome.step
            shown = {Kind.TABLE, Kind.COLUMN} if step.key.kind is Kind.TABLE else {step.key.kind}
            kinds.update(key.kind for key in step.creates if key.kind in shown)
    return ", ".join(count(LABELS.get(kind, kind.label), kinds[kind]) for kind in sorted(kinds))


def _heading(step: Step) -> str:
    return f"{step.app}, foreign keys" if step.key.kind is Kind.FOREIGN_KEY else step.app


def count(label: str, number: int) -> str:
    """Return "1 index" or "2 indexes"."""
    return f"{number} {label if number == 1 else PLURALS.get(label, label + 's')}"


def _finding(finding: CheckMessage, style: Style) -> str:
    paint = style.ERROR if finding.is_serious() else style.WARNING
    lines = [f"{finding.obj}: ({finding.id}) {finding.msg}"]
    if finding.hint:
        lines.append(f"    HINT: {finding.hint}")
    return paint("\n".join(lines))


def sql(report: Report) -> str:
    """Return the statements exactly as they run, ready for psql; what went wrong and findings as comments."""
    lines = []
    for outcome in report.outcomes:
        if outcome.failure is not None:
            lines += _comment(f"{outcome.result.value}: {outcome.failure.message}")
        lines += [f"{statement};" for statement in outcome.step.sql]
    for finding in report.findings:
        lines += _comment(" ".join(filter(None, [finding.id, finding.msg, finding.hint])))
    return "\n".join(lines)


def _comment(words: str) -> list[str]:
    return [f"-- {line}" for line in words.splitlines()]


def as_json(report: Report) -> str:
    """Return one JSON object with everything the report knows."""
    return json.dumps(
        {
            "status": report.status.value,
            "alias": report.alias,
            "database": report.database,
            "steps": [_json_step(outcome) for outcome in report.outcomes],
            "findings": [_json_finding(finding) for finding in report.findings],
            "counts": report.counts,
            "remaining": report.remaining,
            "seconds": round(report.seconds, 6),
        },
        indent=2,
        ensure_ascii=False,
    )


def _json_step(outcome: Outcome) -> dict[str, Any]:
    step, failure = outcome.step, outcome.failure
    return {
        "app": step.app,
        "model": step.model,
        "table": _json_table(step.key.table),
        "kind": step.key.kind.label,
        "name": step.name,
        "sql": list(step.sql),
        "lock": step.lock or None,
        "actions": [
            {"sql": list(action.sql), "lock": action.lock or None, "transaction": action.mode.value}
            for action in step.actions
        ],
        "outcome": outcome.result.value,
        "seconds": round(outcome.seconds, 6),
        "error": None
        if failure is None
        else {"message": failure.message, "hint": failure.hint, "sqlstate": failure.sqlstate},
    }


def _json_table(table: TableName) -> str | None:
    return str(table) if table.name else None


def _json_finding(finding: CheckMessage) -> dict[str, Any]:
    level = {40: "error", 30: "warning", 20: "info"}.get(finding.level, "error")
    return {
        "id": finding.id,
        "level": level,
        "object": str(finding.obj),
        "message": finding.msg,
        "hint": finding.hint,
    }


FORMATS: Mapping[str, Callable[[Report], str]] = MappingProxyType({"text": text, "json": as_json, "sql": sql})


def several(form: str, reports: Iterable[Report]) -> str:
    """Return what a program reads of several databases: one JSON array, or the SQL of each under its name."""
    if form == "json":
        return "[\n" + ",\n".join(map(as_json, reports)) + "\n]"
    return "\n".join(f"-- database {report.alias}\n{FORMATS[form](report)}" for report in reports)
