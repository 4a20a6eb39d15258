"""What a part of the demo is made of: words in lists, put together by chance.

Texts have slots in braces. A topic's own slots, and `{who}`, `{other}`, `{day}` and `{number}`, are filled once for a
whole thread or memory, so that its lines are about the same thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that people talk about.

    openers: how a thread begins.
    turns: what people say in it.
    answers: what the agent says in it.
    facts: what the agent remembers of a person, `{who}`.
    manual: what a document about it says.
    """

    slots: Mapping[str, tuple[str, ...]]
    openers: tuple[str, ...]
    turns: tuple[str, ...]
    answers: tuple[str, ...]
    facts: tuple[str, ...]
    title: str
    manual: tuple[str, ...]

    def filled(self, dice: Random, who: str, other: str) -> dict[str, str]:
        """Return one choice for all slots."""
        chosen = {name: dice.choice(values) for name, values in self.slots.items()}
        return {**chosen, "who": who, "other": other, "day": dice.choice(DAYS), "number": str(dice.randint(3, 48))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A room: where it comes from, and what it is about."""

    key: str
    name: str
    source: str
    type: str
    channel_id: str
    topic: Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody the agent knows.

    names: the usual one first.
    role: what somebody does, for the profile.
    likes: for the profile.
    zone: the time zone, for the profile.
    """

    names: tuple[str, ...]
    role: str
    likes: str
    zone: str = "Europe/London"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """A task that the agent has again and again, and how it may go wrong."""

    name: str
    description: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An agent with its world.

    character: the fields of the agent but its name.
    world: the name of its world.
    actions: what the agent does in its runs.
    cached: what it keeps in its cache, by key.
    """

    key: str
    name: str
    character: Mapping[str, Any]
    world: str
    people: tuple[Person, ...]
    places: tuple[Place, ...]
    chores: tuple[Chore, ...]
    actions: tuple[str, ...]
    cached: Mapping[str, Any]
