"""How entities stand to each other: one row for each direction, read as a graph."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self, cast
from uuid import UUID

from django.db import ProgrammingError, connections, transaction
from django.db.models import Case, Q, UUIDField, When
from django.utils import timezone

from core_tables.contents import check_row
from core_tables.querysets.base import RecordQuerySet, key_of, rows_of, texts_of
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Agent, Entity, Relationship

# The columns, not the name of the constraint: an adopted table may call it otherwise.
RELATE = """
INSERT INTO {table} AS known
       (id, created_at, updated_at, source_entity_id, target_entity_id, agent_id, tags, metadata)
VALUES (%s, %s, %s, %s, %s, %s, %s::text[], %s)
    ON CONFLICT (source_entity_id, target_entity_id, agent_id) DO UPDATE
   SET updated_at = excluded.updated_at,
       metadata = coalesce(nullif(known.metadata, 'null'), '{{}}') || excluded.metadata,
       tags = ARRAY(SELECT tag
                      FROM unnest(known.tags || excluded.tags) WITH ORDINALITY AS united (tag, place)
                     GROUP BY tag ORDER BY min(place))
RETURNING *
"""

# What PostgreSQL says where no constraint is over the columns of ON CONFLICT.
NO_CONSTRAINT = "42P10"


class RelationshipQuerySet(RecordQuerySet["Relationship"]):
    """Relations of entities, each in one direction."""

    def of(self, entity: "Entity | UUID") -> Self:
        """Return those of an entity, in either direction."""
        return self.filter(Q(source_entity=entity) | Q(target_entity=entity))

    def among(self, *entities: "Entity | UUID") -> Self:
        """Return those whose two ends are both among these entities."""
        ids = [key_of(entity) for entity in entities]
        return self.filter(source_entity__in=ids, target_entity__in=ids)

    def tagged(self, *tags: str) -> Self:
        """Return those with any of these tags; the index on tags finds them."""
        return self.filter(tags__overlap=texts_of(tags, "Tags"))

    def relate(
        self,
        source: "Entity | UUID",
        target: "Entity | UUID",
        *,
        agent: "Agent | UUID",
        tags: Iterable[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> "Relationship":
        """Write down how one entity stands to another, or add to what is there, in one statement.

        New tags come after those there are; keys of the metadata replace those of the same name. No signals.

        Raises:
            InvalidContent: a tag or the metadata hold what PostgreSQL has no text for.
            TypeError: `tags` is a text, not several.
        """
        ends = {"source_entity_id": key_of(source), "target_entity_id": key_of(target), "agent_id": key_of(agent)}
        row = self.model(**ends, tags=texts_of(tags, "Tags"), metadata=dict(metadata or {}))
        check_row(row)
        self._for_write = True
        try:
            with transaction.atomic(using=self.db):
                return self._united(row)
        except ProgrammingError as error:
            if getattr(error.__cause__, "sqlstate", None) != NO_CONSTRAINT:
                raise
        return self._in_turn(row)

    arelate = twin(relate)

    def _united(self, row: "Relationship") -> "Relationship":
        """Insert a row, or add it to the one of the same ends."""
        connection = connections[self.db]
        now = timezone.now()
        sql = RELATE.format(table=connection.ops.quote_name(self.model._meta.db_table))
        data = connection.ops.adapt_json_value(row.metadata, None)
        ends = (row.source_entity_id, row.target_entity_id, row.agent_id)
        return self.raw(sql, [row.pk, now, now, *ends, row.tags, data], using=self.db)[0]

    def _in_turn(self, row: "Relationship") -> "Relationship":
        """Do the same where an adopted table lacks the constraint: all that relate an entity take turns at it."""
        with transaction.atomic(using=self.db):
            rows_of("Entity").using(self.db).select_for_update(no_key=True).only("pk").get(pk=row.source_entity_id)
            same = {name: getattr(row, name) for name in ("source_entity_id", "target_entity_id", "agent_id")}
            known = rows_of("Relationship").using(self.db).filter(**same).order_by("created_at", "pk").first()
            if known is None:
                row.save(using=self.db, force_insert=True)
                return row
            known.tags = list(dict.fromkeys([*(known.tags or ()), *(row.tags or ())]))
            known.metadata = {**(known.metadata or {}), **(row.metadata or {})}
            known.save(using=self.db, update_fields=["tags", "metadata", "updated_at"])
        return cast("Relationship", known)

    def neighbours(self, entity: "Entity | UUID", *, depth: int = 2, limit: int = 100) -> dict[UUID, int]:
        """Return the ids of the entities around one, nearest first, with how many steps away each is.

        Direction does not matter. One query a step, and none returns more than `limit` ids; where there are more
        entities, which of the farthest are left out is up to the database. `among(entity, *found)` has the
        relationships between them.
        """
        start = key_of(entity)
        steps = {start: 0}
        edge = [start]
        for step in range(1, depth + 1):
            left = limit + 1 - len(steps)
            if not edge or left < 1:
                break
            seen = list(steps)
            outward = Q(source_entity__in=edge) & ~Q(target_entity__in=seen)
            inward = Q(target_entity__in=edge) & ~Q(source_entity__in=seen)
            far = Case(When(outward, then="target_entity_id"), default="source_entity_id", output_field=UUIDField())
            edge = list(self.filter(outward | inward).order_by().values_list(far, flat=True).distinct()[:left])
            steps.update(dict.fromkeys(edge, step))
        del steps[start]
        return steps

    aneighbours = twin(neighbours)
