"""What is remembered and what is asked: vectors in topics, rooms that hold a share of them, and queries.

Text has topics, so the vectors have centres: independent random ones make every index look bad. A memory is in one
room. Rooms of chance hold memories of all topics. Rooms of a few topics hold nothing else, and are asked from within
("near") and about other topics ("far"), where a walk along the index meets none of the room's memories for long.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy

WIDTH = 384
TOPICS = 200
OWN = 22  # topics 0 to 22 are kept in rooms of their own
SPREAD = 0.7  # of a memory around its topic, where topics are 1 apart: cosine 0.67 within a topic
ASIDE = 0.3  # how far a query is from the memory that it was made of
LIMIT = 10
MOST = "most"
Array = Any


def key(name: str) -> uuid.UUID:
    """Return the id of a room or an agent: the same in every database."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, name)


AGENT = key("agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A filter: a room, or None for all that the agent remembers; `far` asks about what other rooms hold."""

    name: str
    room: str | None = None
    far: bool = False


ROOMS = {"10%": "tenth", "1%": "hundredth", "0.1%": "thousandth"}
ALL = Scope(name="100%")
RANDOM = tuple(Scope(name=share, room=room) for share, room in ROOMS.items())
TOPICAL = tuple(
    Scope(name=f"{share} by topic, {'far' if far else 'near'}", room=f"{room} by topic", far=far)
    for share, room in ROOMS.items()
    for far in (False, True)
)
USUAL = (ALL, *RANDOM)
SCOPES = (ALL, Scope(name="78%", room=MOST), *RANDOM, *TOPICAL)


@dataclass(frozen=True)
class Corpus:
    """Memories by their place in the list; a part of them is one, too."""

    vectors: Array
    rooms: Array
    topics: Array
    start: int = 0

    def __len__(self) -> int:
        return len(self.rooms)

    def part(self, start: int, stop: int) -> Corpus:
        """Return those from one place to before another."""
        inside = slice(start, stop)
        return Corpus(self.vectors[inside], self.rooms[inside], self.topics[inside], self.start + start)

    def parts(self, size: int) -> Iterator[Corpus]:
        """Yield all of them, so many at a time."""
        return (self.part(start, start + size) for start in range(0, len(self), size))

    @cached_property
    def ids(self) -> list[uuid.UUID]:
        """Ids with no order in them, as random ones have none."""
        return [uuid.uuid5(AGENT, str(self.start + place)) for place in range(len(self))]

    @cached_property
    def texts(self) -> list[str]:
        return [f"memory {self.start + place} of topic {topic}" for place, topic in enumerate(self.topics.tolist())]

    @cached_property
    def numbers(self) -> list[list[float]]:
        """The vectors as lists."""
        return self.vectors.tolist()

    def places(self, scope: Scope) -> Array:
        """Return where the memories are that are in scope."""
        return numpy.arange(len(self)) if scope.room is None else numpy.flatnonzero(self.rooms == scope.room)


@dataclass(frozen=True, slots=True)
class Query:
    """A vector to search by, as a text stands for it, and the ids of what is truly nearest in a scope."""

    text: str
    vector: Array
    numbers: list[float]
    nearest: frozenset[str]


def generate(size: int, seed: int = 1) -> Corpus:
    """Return memories of 200 topics, in rooms of 10%, 1% and 0.1% by chance and by topic, the rest in one room."""
    random = numpy.random.default_rng(seed)
    centres = random.standard_normal((TOPICS, WIDTH), numpy.float32)
    topics = random.integers(0, TOPICS, size)
    vectors = random.standard_normal((size, WIDTH), numpy.float32)
    vectors *= SPREAD
    vectors += centres[topics]
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    rooms = numpy.full(size, MOST, dtype=object)
    rooms[topics < OWN] = "hundredth by topic"
    rooms[topics < TOPICS // 10] = "tenth by topic"
    rooms[(topics == OWN) & (random.random(size) < TOPICS / 1000)] = "thousandth by topic"
    left = random.permutation(numpy.flatnonzero(rooms == MOST))
    for share, room in ((10, "tenth"), (100, "hundredth"), (1000, "thousandth")):
        chosen, left = left[: size // share], left[size // share :]
        rooms[chosen] = room
    return Corpus(vectors, rooms, topics)


def queries(corpus: Corpus, scope: Scope, number: int, seed: int = 2) -> list[Query]:
    """Return vectors beside memories, each with the truth by looking at all that is in scope."""
    random = numpy.random.default_rng(seed)
    inside = corpus.places(scope)
    # A room of chance is asked about any topic that it holds: not those that have a room of their own.
    origins = inside if scope in (ALL, *TOPICAL) else numpy.flatnonzero(corpus.topics > OWN)
    if scope.far:
        origins = numpy.setdiff1d(corpus.places(ALL), inside)
    chosen = random.choice(origins, number)
    step = random.standard_normal((number, WIDTH), numpy.float32) * ASIDE / WIDTH**0.5
    vectors = corpus.vectors[chosen] + step
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    inside_vectors = corpus.vectors if len(inside) == len(corpus) else corpus.vectors[inside]
    found = (_nearest(inside_vectors, vector) for vector in vectors)
    truth = [frozenset(str(corpus.ids[place]) for place in inside[places]) for places in found]
    return [
        Query(f"query {place}", vector, vector.tolist(), nearest)
        for place, (vector, nearest) in enumerate(zip(vectors, truth, strict=True))
    ]


def _nearest(vectors: Array, vector: Array) -> Array:
    alike = vectors @ vector
    return numpy.argpartition(-alike, LIMIT)[:LIMIT] if len(alike) > LIMIT else numpy.arange(len(alike))
