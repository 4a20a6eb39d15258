"""What is around an entity: who it stands to in some way, who those stand to, and how."""

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models.expressions import RawSQL
from django.urls import reverse

from core_tables.admin.bounded import steady
from core_tables.admin.entities.graph import Drawing, drawing
from core_tables.admin.links import page_of
from core_tables.admin.shown import brief
from core_tables.fields import texts
from core_tables.models import Entity, Relationship

NODES = 40
LISTED = 50  # relationships of the entity in each direction
DRAWN = 300  # relationships
NAME = 60  # characters
TAGS = 200
ENDS = ("source_entity", "target_entity")

# A few relationships of the entity and of each at their other ends: some are related to everybody.
NEAR = """
WITH near AS (
  (SELECT id, target_entity_id AS far FROM {table} WHERE source_entity_id = %s LIMIT {few})
  UNION ALL
  (SELECT id, source_entity_id FROM {table} WHERE target_entity_id = %s LIMIT {few})
)
SELECT id FROM near
 UNION
SELECT theirs.id
  FROM (SELECT DISTINCT far FROM near) AS ends CROSS JOIN LATERAL (
    (SELECT id FROM {table} WHERE source_entity_id = ends.far LIMIT {few})
    UNION ALL
    (SELECT id FROM {table} WHERE target_entity_id = ends.far LIMIT {few})
  ) AS theirs
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A relationship as a list shows it: who is at its other end, and what it is."""

    name: str
    page: str
    tags: str
    relationship: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """Who is around an entity.

    more: whether there is more around than is drawn.
    outgoing, incoming: up to LISTED relationships of the entity.
    """

    drawing: Drawing
    more: bool
    outgoing: tuple[Related, ...]
    incoming: tuple[Related, ...]
    more_outgoing: bool
    more_incoming: bool


def around(entity: Entity, site: str) -> Neighbourhood:
    """Return what is around an entity, with links for an admin site of this name. Few queries, of few rows each."""
    with steady(Relationship.objects.db):
        steps = _steps(entity)
        more = len(steps) > NODES
        steps = {entity.pk: 0, **dict(list(steps.items())[:NODES])}
        found = list(Relationship.objects.among(*steps).order_by().values_list(*ENDS)[:DRAWN])
        outgoing = _first(source_entity=entity)
        incoming = _first(target_entity=entity)
    ends = {row.target_entity_id for row in outgoing} | {row.source_entity_id for row in incoming}
    names = _names({*steps, *ends})
    pages = {key: reverse("admin:core_tables_entity_change", args=[key], current_app=site) for key in names}
    return Neighbourhood(
        drawing=drawing(steps, found, names, {key: page for key, page in pages.items() if key != entity.pk}),
        more=more or len(found) == DRAWN,
        outgoing=tuple(_related(row, row.target_entity_id, names, pages, site) for row in outgoing[:LISTED]),
        incoming=tuple(_related(row, row.source_entity_id, names, pages, site) for row in incoming[:LISTED]),
        more_outgoing=len(outgoing) > LISTED,
        more_incoming=len(incoming) > LISTED,
    )


def _steps(entity: Entity) -> dict[Any, int]:
    rows = Relationship.objects.all()
    table = connections[rows.db].ops.quote_name(Relationship._meta.db_table)
    near = RawSQL(NEAR.format(table=table, few=NODES + 1), [entity.pk, entity.pk])  # noqa: S611 - it has a parameter for each value
    return rows.filter(pk__in=near).neighbours(entity, depth=2, limit=NODES + 1)


def _first(**end: Entity) -> list[Relationship]:
    """Return the first that the index has: of a million as quickly as of ten."""
    return list(Relationship.objects.filter(**end).order_by().only("tags", *ENDS)[: LISTED + 1])


def _names(keys: set[Any]) -> dict[Any, str]:
    found = Entity.objects.only("names").in_bulk(keys)
    return {key: brief(str(entity), NAME) or str(key) for key, entity in found.items()}


def _related(row: Relationship, end: Any, names: dict[Any, str], pages: dict[Any, str], site: str) -> Related:
    return Related(
        name=names.get(end, str(end)),
        page=pages.get(end, ""),
        tags=brief(", ".join(texts(row.tags)), TAGS) or "—",
        relationship=page_of("relationship_change", row.pk, site=site),
    )
