"""What programs read: JSON, SQL for psql, and annotations for GitHub Actions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agentsql.names import TableName
from agentsql.renderers.words import count, ranked, summary
from agentsql.report import Failure, Outcome, Report, Result, Status, level
from agentsql.step import Step

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

ANNOTATIONS = {"error": "error", "warning": "warning", "info": "notice"}  # by level
ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
DATA = str.maketrans(ESCAPES)
PROPERTY = str.maketrans({**ESCAPES, ":": "%3A", ",": "%2C"})


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
            "plugins": list(report.plugins),
            "steps": [_json_step(outcome) for outcome in report.outcomes],
            "findings": [json_finding(finding) for finding in report.findings],
            "counts": report.counts,
            "remaining": report.remaining,
            "incomplete": sorted(report.incomplete),
            "looked": report.looked,
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


def json_finding(finding: CheckMessage) -> dict[str, Any]:
    return {
        "id": finding.id,
        "level": level(finding),
        "object": str(finding.obj),
        "message": finding.msg,
        "hint": finding.hint,
    }


def github(report: Report, where: str = "") -> str:
    """Return annotations for GitHub Actions: a line for each finding, each failed step, and for what is missing.

    The syntax is in "Workflow commands for GitHub Actions", section "Setting an error message"
    (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands), the escaping in GitHub's
    own toolkit (https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts).

    Args:
        report: of one database.
        where: its alias, for the titles, where there are several.
    """
    place = f" ({where})" if where else ""
    lines = []
    if report.remaining:
        grade = "warning" if report.status is Status.PENDING else "error"
        lacks = f"The database lacks {count('object', report.remaining)} of the models. {summary(report)}"
        lines.append(_annotation(grade, f"Schema of {report.database}{place}", lacks))
    for outcome in report.outcomes:
        failure = outcome.failure
        if outcome.result is Result.FAILED and failure is not None and failure.finding is None:
            step = outcome.step
            title = f"{step.app} {step.key.kind.label} {step.name}{place}"
            lines.append(_annotation("error", title, *_told(failure, step)))
    for finding in ranked(report.findings):
        hint = [f"HINT: {finding.hint}"] if finding.hint else []
        lines.append(_annotation(ANNOTATIONS[level(finding)], f"{finding.id} {finding.obj}{place}", finding.msg, *hint))
    return "\n".join(lines)


def _told(failure: Failure, step: Step) -> list[str]:
    failed = (failure.statement,) if failure.statement else step.sql
    hint = [f"HINT: {failure.hint}"] if failure.hint else []
    return [failure.message, *(f"{sql};" for sql in failed), *hint]


def _annotation(grade: str, title: str, *lines: str) -> str:
    message = "\n".join(lines)
    return f"::{grade} title={title.translate(PROPERTY)}::{message.translate(DATA)}"
