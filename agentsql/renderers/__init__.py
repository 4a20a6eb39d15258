"""A report or an explanation as text, JSON, SQL or annotations: pure functions, the last and interchangeable step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from agentsql.renderers.explanations import explanation_json, explanation_text
from agentsql.renderers.people import text, text_progress, text_step, text_tail
from agentsql.renderers.programs import as_json, github, sql
from agentsql.renderers.words import LABELS, count
from agentsql.report import Report

__all__ = [
    "FORMATS",
    "LABELS",
    "as_json",
    "count",
    "explanation_json",
    "explanation_text",
    "github",
    "several",
    "sql",
    "text",
    "text_progress",
    "text_step",
    "text_tail",
]

FORMATS: Mapping[str, Callable[[Report], str]] = MappingProxyType(
    {"text": text, "json": as_json, "sql": sql, "github": github}
)


def several(form: str, reports: Iterable[Report]) -> str:
    """Return what a program reads of several databases: one JSON array, annotations, or the SQL of each by name."""
    if form == "json":
        return "[\n" + ",\n".join(map(as_json, reports)) + "\n]"
    if form == "github":
        return "\n".join(filter(None, (github(report, where=report.alias) for report in reports)))
    return "\n".join(f"-- database {report.alias}\n{FORMATS[form](report)}" for report in reports)
