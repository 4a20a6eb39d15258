"""Write parts of the demo, each whole or not at all, and remove them again."""

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db import connections, transaction
from django.db.models.functions import Coalesce

from core_tables.demo.home import HOME
from core_tables.demo.lab import LAB
from core_tables.demo.office import OFFICE
from core_tables.demo.scene import MARK, Scene
from core_tables.demo.seed import Seed
from core_tables.models import (
    Agent,
    Cache,
    Component,
    Entity,
    Log,
    Memory,
    Message,
    Participant,
    Relationship,
    Room,
    Task,
    World,
)

PARTS = (LAB, OFFICE, HOME)
HOUR = datetime.timedelta(hours=1)
TIMEOUTS = (None, 6 * HOUR, -HOUR)  # one in three for good, one in three void


def lacking(using: str) -> list[str]:
    """Return the names of the tables that the demo needs and the database has not."""
    wanted = {model._meta.db_table for model in apps.get_app_config("core_tables").get_models()}
    return sorted(wanted - set(connections[using].introspection.table_names()))


def missing(number: int, using: str, now: datetime.datetime) -> list[Scene]:
    """Return the parts of a demo that are not there."""
    seed = Seed(number=number)
    ids = {part.key: seed.id("agent", part.key) for part in PARTS}
    there = set(Agent.objects.using(using).filter(pk__in=ids.values()).values_list("pk", flat=True))
    return [Scene.of(part, seed, now) for part in PARTS if ids[part.key] not in there]


def write(scene: Scene, vectors: Iterable[Any], model: str | None, using: str) -> bool:
    """Write a part in one transaction; say whether it was not there before."""
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('core_tables.demo', 0))")
        if Agent.objects.using(using).filter(pk=scene.setting.agent.pk).exists():
            return False
        _write_rows(scene, vectors, model, using)
    return True


def _write_rows(scene: Scene, vectors: Iterable[Any], model: str | None, using: str) -> None:
    setting = scene.setting
    people = [setting.self, *(known.entity for known in setting.people)]
    Agent.objects.using(using).bulk_create([setting.agent])
    World.objects.using(using).bulk_create([setting.world])
    Room.objects.using(using).bulk_create([hall.room for hall in setting.halls])
    Entity.objects.using(using).bulk_create(people)
    Component.objects.using(using).bulk_create(scene.components)
    Participant.objects.using(using).bulk_create(scene.participants)
    Relationship.objects.using(using).bulk_create(scene.relationships)
    Message.objects.using(using).record_many(scene.messages)
    Memory.objects.using(using).bulk_add(scene.memories, vectors, model=model)
    Task.objects.using(using).bulk_create(scene.tasks)
    # When Django writes a row it was changed just then, but these went wrong at several times.
    last = Coalesce("finished_at", "started_at", "created_at")
    Task.objects.using(using).filter(agent=setting.agent).update(updated_at=last)
    Log.objects.using(using).write_many(scene.logs)
    kept = Cache.objects.using(using).of(setting.agent)
    for place, (key, value) in enumerate(scene.cached.items()):
        kept.set(key, value, TIMEOUTS[place % len(TIMEOUTS)])


def counted(scenes: Iterable[Scene]) -> Mapping[str, int]:
    """Return how many rows of each kind scenes have, by their plural names."""
    found: Counter[str] = Counter()
    for scene in scenes:
        found["rooms"] += len(scene.setting.halls)
        found["people"] += len(scene.setting.people)
        found["messages"] += len(scene.messages)
        found["memories"] += len(scene.memories)
        found["tasks"] += len(scene.tasks)
        found["log entries"] += len(scene.logs)
        found["cache entries"] += len(scene.cached)
    return found


def remove(number: int | None, using: str) -> Iterator[tuple[str, int]]:
    """Delete the agents of a demo, or of all, with what is theirs; yield the name of each and how many rows went.

    Both the mark and the id tell them: a mark alone may have been copied.
    """
    for agent in Agent.objects.using(using).filter(metadata__has_key=MARK).order_by("name"):
        mark = agent.metadata[MARK]
        made = isinstance(mark, int) and any(Seed(number=mark).id("agent", part.key) == agent.pk for part in PARTS)
        if made and number in (None, mark):
            yield agent.name, agent.delete(using=using)[0]
