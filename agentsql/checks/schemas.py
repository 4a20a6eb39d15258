"""A database holds what the models need. The comparison is a run that only plans, and tells what it finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from django.core.checks import CheckMessage, Warning  # noqa: A004 Django's name for it
from django.db import DEFAULT_DB_ALIAS

from agentsql.engine import run
from agentsql.renderers import LABELS, count
from agentsql.report import Report


def behind(alias: str, labels: Collection[str]) -> Iterator[CheckMessage]:
    """Yield what a run finds, and one warning for all that is missing."""
    report = run(using=alias, plugins=labels, plan_only=True)
    yield from report.findings
    if report.remaining:
        option = f" --database {alias}" if alias != DEFAULT_DB_ALIAS else ""
        yield Warning(
            f"The schema of database {alias!r} is behind the models: {missing(report)}.",
            hint=f"Run `manage.py automigrate{option}`." if report.outcomes else "The other messages tell what to do.",
            obj=f"database {alias}",
            id="agentsql.W103",
        )


def missing(report: Report) -> str:
    """Return "2 tables, 1 index are missing"; a table stands for all that comes with it."""
    kinds = Counter(outcome.step.key.kind for outcome in report.outcomes)
    refused = report.remaining - sum(report.counts.values())
    told = [count(LABELS.get(kind, kind.label), kinds[kind]) for kind in sorted(kinds)]
    if refused:
        told.append(f"{count('object', refused)} that automigrate can't make (other messages tell why)")
    return f"{', '.join(told)} {'is' if kinds.total() + refused == 1 else 'are'} missing"
