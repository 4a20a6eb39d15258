"""Who is where in a part of the demo: the agent, its world and rooms, the people, and how they stand to each other."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core_tables.demo.material import Part, Person, Place
from core_tables.demo.seed import Seed
from core_tables.models import Agent, Component, Entity, Participant, Relationship, Room, World

DAY = datetime.timedelta(days=1)
TIES = ("colleague", "friend", "neighbour", "mentor", "asks for advice")
STATES = (None, None, "FOLLOWED", "MUTED")
FEWEST = 4  # people in a room


class Known(NamedTuple):
    """Somebody, and the row."""

    person: Person
    entity: Entity


class Hall(NamedTuple):
    """A room, its row, and who is in it."""

    place: Place
    room: Room
    people: tuple[Known, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where everything else of a part happens.

    self: the agent as an entity of its own, which has the agent's id: by that, what it said is known.
    now: what all times are counted from.
    """

    part: Part
    seed: Seed
    now: datetime.datetime
    agent: Agent
    world: World
    self: Entity
    people: tuple[Known, ...]
    halls: tuple[Hall, ...]

    @classmethod
    def of(cls, part: Part, seed: Seed, now: datetime.datetime) -> "Setting":
        """Make the rows that all others point to."""
        since = now - 120 * DAY
        agent = Agent(pk=seed.id("agent", part.key), name=part.name, created_at=since, **part.character)
        world = World(pk=seed.id(part.key, "world"), agent=agent, name=part.world, created_at=since)
        people = tuple(_known(part, seed, agent, since, person) for person in part.people)
        halls = tuple(_hall(part, seed, world, place, people) for place in part.places)
        world.metadata = {"ownership": {"ownerId": str(people[0].entity.pk)}, "rooms": len(halls)}
        return cls(
            part=part,
            seed=seed,
            now=now,
            agent=agent,
            world=world,
            self=Entity(pk=agent.pk, agent=agent, names=[part.name], created_at=since),
            people=people,
            halls=halls,
        )

    def components(self) -> Iterator[Component]:
        """Yield a profile of everybody, and of some the ways to reach them, as the agent was told."""
        for place, (person, entity) in enumerate(self.people):
            profile = {"role": person.role, "likes": person.likes, "timezone": person.zone, "language": "en"}
            yield self._component(entity, "profile", profile)
            if place % 2:
                yield self._component(
                    entity, "contact", {"prefers": self.halls[0].place.source, "quiet": "22:00-07:00"}
                )

    def participants(self) -> Iterator[Participant]:
        """Yield who is in which room: some follow it, some mute it, and none has read quite all."""
        for hall in self.halls:
            dice = self.seed.dice(self.part.key, hall.place.key, "participants")
            for entity in (self.self, *(known.entity for known in hall.people)):
                yield Participant(
                    pk=self.seed.id("participant", hall.room.pk, entity.pk),
                    room=hall.room,
                    entity=entity,
                    agent=self.agent,
                    room_state=None if entity is self.self else dice.choice(STATES),
                    last_read_at=None if dice.one_in(10) else self.now - dice.random() * 4 * DAY,
                    created_at=hall.room.created_at,
                )

    def relationships(self) -> Iterator[Relationship]:
        """Yield whom the agent knows, and two that each person has to do with."""
        dice = self.seed.dice(self.part.key, "relationships")
        for place, known in enumerate(self.people):
            yield self._relationship(self.self, known.entity, ["contact"], round(dice.random(), 2))
            others = [other.entity for other in (*self.people[:place], *self.people[place + 1 :])]
            for other in dice.sample(others, 2):
                yield self._relationship(known.entity, other, [dice.choice(TIES)], round(dice.random(), 2))

    def _component(self, entity: Entity, kind: str, data: dict[str, str]) -> Component:
        return Component(
            pk=self.seed.id("component", entity.pk, kind),
            entity=entity,
            agent=self.agent,
            room=self.halls[0].room,
            world=self.world,
            source_entity=self.self,
            type=kind,
            data=data,
            created_at=entity.created_at,
        )

    def _relationship(self, source: Entity, target: Entity, tags: list[str], strength: float) -> Relationship:
        return Relationship(
            pk=self.seed.id("relationship", source.pk, target.pk),
            source_entity=source,
            target_entity=target,
            agent=self.agent,
            tags=tags,
            metadata={"strength": strength},
            created_at=source.created_at,
        )


def _known(part: Part, seed: Seed, agent: Agent, since: datetime.datetime, person: Person) -> Known:
    joined = since + seed.dice(part.key, person.names[0]).random() * 60 * DAY
    key = seed.id(part.key, "entity", person.names[0])
    metadata = {"source": part.places[0].source, "role": person.role}
    return Known(person, Entity(pk=key, agent=agent, names=list(person.names), metadata=metadata, created_at=joined))


def _hall(part: Part, seed: Seed, world: World, place: Place, people: Sequence[Known]) -> Hall:
    room = Room(
        pk=seed.id(part.key, "room", place.key),
        agent=world.agent,
        world_id=world.pk,
        name=place.name,
        source=place.source,
        type=place.type,
        channel_id=place.channel_id,
        metadata={"topic": place.topic.title},
        created_at=world.created_at + DAY,
    )
    dice = seed.dice(part.key, place.key, "people")
    count = 1 if place.type == "DM" else dice.randint(FEWEST, len(people))
    return Hall(place, room, tuple(dice.sample(people, count)))
