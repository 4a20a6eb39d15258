"""What an agent has in each table: how many rows, and how much of the disk by its share of the rows."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connections, models

from core_tables.admin.bounded import Amount, amounts
from core_tables.models import Agent

SIZES = """
SELECT name, reltuples, pg_total_relation_size(pg_class.oid)
  FROM unnest(%s::text[]) AS name JOIN pg_class ON pg_class.oid = to_regclass(quote_ident(name))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """An agent's part of one table.

    bytes: its indexes and what lies outside of its pages included; by the share of the rows.
    """

    model: type[models.Model]
    rows: Amount
    bytes: int

    @property
    def name(self) -> str:
        return str(self.model._meta.verbose_name_plural)


def tables() -> list[type[models.Model]]:
    """Return the core tables whose rows belong to an agent, by name."""
    found = {relation.related_model for relation in Agent._meta.related_objects}
    ours = [model for model in found if not isinstance(model, str) and model._meta.app_label == Agent._meta.app_label]
    return sorted(ours, key=lambda model: str(model._meta.verbose_name_plural))


def holdings(agent: Agent, chosen: Iterable[type[models.Model]]) -> list[Holding]:
    """Return what the agent has in these tables."""
    tables = list(chosen)
    using = Agent.objects.db
    rows = amounts([model._base_manager.filter(agent=agent) for model in tables], using)
    with connections[using].cursor() as cursor:
        cursor.execute(SIZES, [[model._meta.db_table for model in tables]])
        sizes = {name: (total, size) for name, total, size in cursor.fetchall()}
    return [
        Holding(model=model, rows=amount, bytes=_share(amount, *sizes.get(model._meta.db_table, (0, 0))))
        for model, amount in zip(tables, rows, strict=True)
    ]


def _share(amount: Amount, total: float, size: int) -> int:
    """Return the agent's part of a table, of which the server may not know yet how many rows it has."""
    return int(size * amount.likely / max(total, amount.likely, 1))
