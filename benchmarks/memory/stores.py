"""What all that is compared can do, and ours: `Memory.objects`, on tables that automigrate made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import django
from django.conf import settings
from django.db import connection

from benchmarks import postgres
from benchmarks.memory.corpus import AGENT, LIMIT, SCOPES, Corpus, Query, Scope, key

APPS = ("django.contrib.contenttypes", "django.contrib.postgres", "agentsql", "core_tables")


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Something that takes memories and finds them.

    add: store a part of a corpus.
    search: return the ids found, best first.
    note: what to know about how it is set up.
    """

    name: str
    add: Callable[[Corpus], None]
    search: Callable[[Query, Scope], list[str]]
    note: str = ""


def set_up(server: postgres.Server) -> None:
    """Set Django up, once; the database is entered later."""
    settings.configure(
        DATABASES={"default": server.entry(postgres.MAINTENANCE)}, INSTALLED_APPS=APPS, USE_TZ=True, DEBUG=False
    )
    django.setup()


@contextmanager
def tables(server: postgres.Server) -> Iterator[str]:
    """Make a database with the core tables, an agent and its rooms."""
    with server.database() as name, entered(name):
        from agentsql import automigrate  # noqa: PLC0415 Django has to be set up
        from core_tables.models import Agent, Room  # noqa: PLC0415

        report = automigrate(plugins=["core_tables"])
        if report.exit_code():
            raise SystemExit(f"automigrate: {report}")
        Agent.objects.create(id=AGENT, name="Ada")
        rooms = {scope.room for scope in SCOPES if scope.room}
        Room.objects.bulk_create(Room(id=key(room), agent_id=AGENT, source="bench", type="GROUP") for room in rooms)
        yield name


@contextmanager
def entered(name: str) -> Iterator[None]:
    """Lead Django's connection to a database."""
    connection.close()
    before, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def ours() -> Store:
    """Return the store that Django's connection leads to."""
    return Store(name="ours", add=add, search=lambda query, scope: [str(memory.pk) for memory in found(query, scope)])


def add(part: Corpus) -> None:
    """Write memories with their vectors through `bulk_add()`."""
    from core_tables.models import Memory  # noqa: PLC0415

    rows = zip(part.ids, part.texts, part.rooms, part.topics.tolist(), strict=True)
    memories = [
        Memory(
            id=row,
            type="messages",
            content={"text": text},
            agent_id=AGENT,
            room_id=key(room),
            metadata={"topic": topic},
        )
        for row, text, room, topic in rows
    ]
    Memory.objects.bulk_add(memories, part.vectors)


def found(query: Query, scope: Scope) -> list[Any]:
    """Search, and return the memories."""
    from core_tables.models import Memory  # noqa: PLC0415

    room = {"room": key(scope.room)} if scope.room else {}
    return Memory.objects.search(query.vector, LIMIT, agent=AGENT, **room)


def analyzed(server: postgres.Server, name: str) -> None:
    """Do what autovacuum would do a minute later."""
    with server.session(name) as session:
        session.execute("VACUUM ANALYZE")
