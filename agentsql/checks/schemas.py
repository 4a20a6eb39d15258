"""A database holds what the models need, and nothing half made. The comparison is a run that only plans."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from django.core.checks import CheckMessage, Warning  # noqa: A004 Django's name for it
from django.db import DEFAULT_DB_ALIAS

from agentsql.desired import Draft, draft
from agentsql.discover import Plugin
from agentsql.editor import dry_run
from agentsql.engine import run
from agentsql.facts import Dialect
from agentsql.names import TableName
from agentsql.renderers import LABELS, count
from agentsql.report import Report
from agentsql.schema import Constraint, Index, Key, Kind
from agentsql.server import rows

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

# Plain indexes only: one of a partitioned table is invalid until each partition has its part, and serves all the same.
INVALID = """
SELECT t.place::int - 1, n.nspname::text, c.relname::text
  FROM unnest(%s::text[]) WITH ORDINALITY AS t (name, place)
  JOIN pg_index i ON i.indrelid = to_regclass(t.name)
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid AND c.relkind = 'i'
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
 ORDER BY t.place, c.relname
"""
REINDEXED = re.compile(r"_cc(new|old)\d*$")  # what REINDEX CONCURRENTLY leaves: PostgreSQL's documentation of REINDEX


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


def invalid_indexes(
    connection: BaseDatabaseWrapper, models: Mapping[str, Collection[type[Model]]]
) -> Iterator[CheckMessage]:
    """Yield the invalid indexes that no model declares: a run makes those of models again."""
    desired = draft(
        [Plugin(label=label, models=tuple(every)) for label, every in models.items()], dry_run(connection), Dialect()
    )
    tables = list(desired.contents)
    for place, namespace, name in rows(connection, INVALID, [[table.quoted for table in tables]]):
        if name not in _own_indexes(desired, tables[place]):
            yield invalid_index(tables[place], TableName(namespace, name))


def _own_indexes(desired: Draft, table: TableName) -> set[str]:
    """Return the names of the indexes that models want on a table, constraints' own among them."""
    items = [desired.objects[key] for key in desired.contents[table]]
    return {item.name for item in items if isinstance(item, Index | Constraint)}


def invalid_index(table: TableName, index: TableName) -> CheckMessage:
    drop = f"DROP INDEX CONCURRENTLY {index.quoted};"
    left_over = REINDEXED.search(index.name)
    again = "" if left_over else f"Build it again: REINDEX INDEX CONCURRENTLY {index.quoted}; or, if nobody wants it: "
    return Warning(
        f"The index {index.name} of {table} is invalid: writes pay for it, and no query uses it.",
        hint=f"{again}{drop}",
        obj=str(Key(table, Kind.INDEX, (index.name,))),
        id="agentsql.W104",
    )
