"""An explanation: what the models want beside what the database has, then the findings, then what a run would do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.core.management.color import no_style

from agentsql.explain import Explanation, Fact, State, Subject
from agentsql.renderers.people import text_finding
from agentsql.renderers.programs import json_finding
from agentsql.renderers.words import ranked
from agentsql.schema import Kind

if TYPE_CHECKING:
    from django.core.management.color import Style

HEADS = ("", "", "the models want", "the database has")
WIDEST = (36, 11, 44)  # of all columns but the last
INDENT, GAP = 4, 2
MARK = "  ! "


def explanation_text(told: Explanation, style: Style | None = None) -> str:
    """Return a table of facts for each table, with a `!` where the two sides differ."""
    style = style or no_style()
    rows = {subject.key: list(_rows(subject)) for subject in told.subjects}
    widths = _widths([HEADS, *(cells for every in rows.values() for cells, _ in every)])
    lines = []
    for table, subjects in groupby(told.subjects, key=lambda subject: subject.key.table):
        of_table = list(subjects)
        model = next((f" ({subject.model})" for subject in of_table if subject.model), "")
        lines.append(style.MIGRATE_HEADING(f"{table}{model}") if table.name else "")
        lines.append(_laid_out(HEADS, widths))
        for subject in of_table:
            for cells, differs in rows[subject.key]:
                line = _laid_out(cells, widths)
                lines.append(style.WARNING(MARK + line[INDENT:]) if differs else line)
    lines += [style.WARNING(f"Compared in part only, {table}: {why}") for table, why in told.uncompared.items()]
    lines += [text_finding(finding, style) for finding in ranked(told.findings)]
    if told.steps:
        lines += ["To make it, a run would do:", *(f"    {sql};" for step in told.steps for sql in step.sql)]
    return "\n".join(filter(None, lines))


def _rows(subject: Subject) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield rows of cells, and whether the two sides differ; the first row has the object's name."""
    title = _title(subject)
    for fact in subject.facts or (Fact("", "", "", differs=False),):
        long = len(fact.wanted) > WIDEST[-1] and fact.wanted == fact.found
        found = "the same" if long else fact.found
        cells = (title, fact.name, fact.wanted, found)
        yield tuple(" ".join(cell.split()) for cell in cells), fact.differs
        title = ""


def _title(subject: Subject) -> str:
    kind = subject.key.kind.label
    what = kind if subject.key.kind is Kind.TABLE else f"{kind} {subject.name}"
    return what if subject.state is State.SHARED else f"{what} ({subject.state})"


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    columns = list(zip(*rows, strict=True))
    return [min(max(map(len, cells)), most) for cells, most in zip(columns, WIDEST, strict=False)]


def _laid_out(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return cells under each other's columns; what follows one that is too wide starts on a new line."""
    lines, line, start = [], "", INDENT
    for cell, width in zip(cells, [*widths, 0], strict=True):
        if cell and len(line) >= start:
            lines.append(line)
            line = ""
        line = f"{line.ljust(start)}{cell}" if cell else line
        start += width + GAP
    return "\n".join([*lines, line])


def explanation_json(told: Explanation) -> str:
    """Return one JSON object with all that is known."""
    return json.dumps(
        {
            "objects": [_json_subject(subject) for subject in told.subjects],
            "uncompared": {str(table): why for table, why in told.uncompared.items()},
            "findings": [json_finding(finding) for finding in told.findings],
            "sql": [sql for step in told.steps for sql in step.sql],
        },
        indent=2,
        ensure_ascii=False,
    )


def _json_subject(subject: Subject) -> dict[str, Any]:
    key = subject.key
    return {
        "object": str(key),
        "table": str(key.table) if key.table.name else None,
        "kind": key.kind.label,
        "name": subject.name,
        "model": subject.model,
        "state": subject.state.value,
        "facts": [fact._asdict() for fact in subject.facts],
    }
