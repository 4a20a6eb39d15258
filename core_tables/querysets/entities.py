"""Who there is: entities by name and by room, and the components that hold what is known of them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Func, IntegerField, Prefetch, TextField, Value, When
from django.db.models.functions import Concat

from core_tables.contents import check_row
from core_tables.exceptions import WrongAgent
from core_tables.querysets.base import RecordQuerySet, key_of, rows_of, texts_of
from core_tables.querysets.sweep import SweepingQuerySet
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Agent, Component, Entity, Room, World

# Between the names where they are searched as one text; no name has it.
EDGE = "\x1f"


class NamesAsText(Func):
    """All the names of an entity as one text, each between two edges."""

    function = "array_to_string"
    output_field = TextField()


class EntityQuerySet(SweepingQuerySet["Entity"]):
    """People, agents and things."""

    def with_components(self, *types: str) -> Self:
        """Fetch the components along, in one more query; with types, `entity.components.all()` has only those."""
        components = rows_of("Component").order_by("created_at", "pk")
        wanted = texts_of(types, "Types")
        return self.prefetch_related(
            Prefetch("components", components.filter(type__in=wanted) if types else components)
        )

    def in_room(self, room: "Room | UUID") -> Self:
        """Return those in a room, each once."""
        return self.filter(pk__in=rows_of("Participant").filter(room=room).values("entity"))

    def named(self, *names: str) -> Self:
        """Return those that go by any of these names, spelled exactly so; the index on names finds them."""
        return self.filter(names__overlap=texts_of(names, "Names"))

    def search_names(self, text: str) -> Self:
        """Return those with a name that contains a text, in any case; nothing in the text is a wildcard.

        First those with just this name, then those with a name that begins with it, then the rest, by usual name.
        The index on names holds whole names and cannot serve this: every entity in question is read. Filter
        by agent first, which has an index.
        """
        joined = Concat(Value(EDGE), NamesAsText("names", Value(EDGE)), Value(EDGE), output_field=TextField())
        rank = Case(
            When(_all_names__icontains=f"{EDGE}{text}{EDGE}", then=0),
            When(_all_names__icontains=f"{EDGE}{text}", then=1),
            default=2,
            output_field=IntegerField(),
        )
        return self.alias(_all_names=joined).filter(_all_names__icontains=text).order_by(rank, "names", "pk")

    def ensure(self, *, id: UUID, agent: "Agent | UUID", names: Iterable[str] = ()) -> tuple["Entity", bool]:  # noqa: A002
        """Return the entity with an id, and whether it was made now.

        Names that it lacks are added after those that it has, under a lock: none is lost.

        Raises:
            WrongAgent: the entity is known to another agent.
            InvalidContent: a name holds what PostgreSQL has no text for.
            TypeError: `names` is a text, not several.
        """
        key, owner = key_of(id), key_of(agent)
        wanted = texts_of(names, "Names")
        check_row(self.model(names=wanted))
        self._for_write = True
        # Of all agents: that of another is not among these where they are `agent.entities`.
        rows = rows_of("Entity").using(self.db)
        entity, created = rows.get_or_create(pk=key, defaults={"agent_id": owner, "names": wanted})
        if entity.agent_id != owner:
            raise WrongAgent(f"Entity {id} belongs to agent {entity.agent_id}: give those of {owner} ids of their own.")
        if not set(wanted) <= set(entity.names):
            with transaction.atomic(using=self.db):
                entity = rows.select_for_update(no_key=True).get(pk=key)
                entity.names = list(dict.fromkeys([*entity.names, *wanted]))
                entity.save(using=self.db, update_fields=["names", "updated_at"])
        return entity, created

    aensure = twin(ensure)


class ComponentQuerySet(RecordQuerySet["Component"]):
    """Pieces of data about entities."""

    def of(
        self,
        entity: "Entity | UUID",
        type: str | None = None,  # noqa: A002
        *,
        world: "World | UUID | None" = None,
        source_entity: "Entity | UUID | None" = None,
    ) -> Self:
        """Return an entity's components; with a type, those of exactly this type, world and source.

        `of(entity, "profile").first()` gets the one that `put()` writes, and `.delete()` removes it.
        """
        rows = self.filter(entity=entity)
        return rows if type is None else rows.filter(type=type, world=world, source_entity=source_entity)

    def put(
        self,
        entity: "Entity | UUID",
        type: str,  # noqa: A002
        data: dict[str, Any],
        *,
        agent: "Agent | UUID",
        room: "Room | UUID",
        world: "World | UUID | None" = None,
        source_entity: "Entity | UUID | None" = None,
    ) -> "Component":
        """Write the component of this entity, type, world and source, in place of the one before.

        No constraint says that there is one, so all that put components of an entity take turns at its row.

        Raises:
            Entity.DoesNotExist: there is no such entity.
            InvalidContent: the type or the data hold what PostgreSQL has no text for, or the data are no JSON.
        """
        check_row(self.model(type=type, data=data))
        self._for_write = True
        written = {"data": data, "agent_id": key_of(agent), "room_id": key_of(room)}
        with transaction.atomic(using=self.db):
            # NO KEY: whoever writes rows that point to the entity need not wait.
            rows_of("Entity").using(self.db).select_for_update(no_key=True).only("pk").get(pk=key_of(entity))
            found = self.of(key_of(entity), type, world=world, source_entity=source_entity).order_by("created_at", "pk")
            row = found.first()
            if row is None:
                place = {"world_id": key_of(world), "source_entity_id": key_of(source_entity)}
                return self.create(entity_id=key_of(entity), type=type, **place, **written)
            for name, value in written.items():
                setattr(row, name, value)
            row.save(using=self.db, update_fields=[*written, "updated_at"])
        return row

    aput = twin(put)
