"""No two models share a table without knowing it.

Django compares db_table as it is written (models.E028, models.W035, fields.E340). PostgreSQL keeps 63 bytes of a name,
and the quotes that a schema is spelled with are no part of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error

from agentsql.checks.project import aliases, configs, plugins, tables
from agentsql.editor import table_name
from agentsql.names import TableName

if TYPE_CHECKING:
    from django.db.models import Model


def check(asked: Iterable[AppConfig] | None = None) -> Iterator[CheckMessage]:
    labels = {config.label for config in plugins(asked)}
    models = [model for config in configs() for model in tables(config)] if labels else []
    for table, group in dict.fromkeys(together(models)):
        if any(model._meta.app_label in labels for model in group):
            yield one_table(table, group)


def together(models: Iterable[type[Model]]) -> list[tuple[TableName, tuple[type[Model], ...]]]:
    """Return the models that get one table on one database though their db_table is written differently."""
    places: dict[tuple[str, TableName], list[type[Model]]] = defaultdict(list)
    for table, group in _alike(models).items():
        for model in group:
            for alias in aliases(model):
                places[alias, table].append(model)
    return [(table, tuple(group)) for (_, table), group in places.items() if _differ(group)]


def _alike(models: Iterable[type[Model]]) -> dict[TableName, list[type[Model]]]:
    """Group by name first: few share one, and only those need the routers."""
    named: dict[TableName, list[type[Model]]] = defaultdict(list)
    for model in models:
        named[table_name(model._meta.db_table)].append(model)
    return {table: group for table, group in named.items() if _differ(group)}


def _differ(group: Iterable[type[Model]]) -> bool:
    return len({model._meta.db_table for model in group}) > 1


def one_table(table: TableName, group: Sequence[type[Model]]) -> CheckMessage:
    written = [f"{model._meta.label} ({model._meta.db_table})" for model in group]
    return Error(
        f"{', '.join(written[:-1])} and {written[-1]} are one table to PostgreSQL: {table}.",
        hint="PostgreSQL keeps 63 bytes of a name, without the quotes around it: set another db_table on one of them.",
        obj=group[-1],
        id="agentsql.E006",
    )
