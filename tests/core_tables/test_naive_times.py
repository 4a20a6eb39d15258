"""A project with USE_TZ=False, whose times have no zone."""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from core_tables.cache import AgentCache
from core_tables.models import Cache, Log, Memory, Message, Participant, Task
from core_tables.worker import agent_task, registry

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _naive(settings):
    settings.USE_TZ = False
    settings.TIME_ZONE = "America/New_York"


def test_memories_come_and_go(store, agent):
    memory = Memory.objects.add("tea", agent=agent, type="facts", vector=[1.0] * 384, expires_at=timezone.now())
    memory.refresh_from_db()
    assert timezone.now() - memory.created_at < 60 * SECOND
    Memory.objects.update_content(memory, "kettle", vector=[2.0] * 384)
    assert list(Memory.objects.between(end=timezone.now() + SECOND)) == [memory]
    assert list(Memory.objects.delete_expired()) == [1]


def test_many_memories_come_at_once(store, agent):
    memory = Memory(agent=agent, type="facts", content={}, created_at=datetime.fromisoformat("2026-07-01"))
    assert Memory.objects.bulk_add([memory], [[1.0] * 384]) == 1
    assert Memory.objects.get().created_at == memory.created_at
    assert timezone.now() - Memory.objects.get().embedding.created_at < 60 * SECOND


def test_the_cache_keeps_and_forgets(store, agent):
    now = timezone.now()
    agent.cache.set("a", 1, 60)
    agent.cache.set("b", 1, 0)
    assert (agent.cache.get("a"), Cache.objects.live().count(), list(Cache.objects.delete_expired())) == (1, 1, [1])
    AgentCache("Ada", {}).set("now", now)
    assert AgentCache("Ada", {}).get("now") == now


def test_what_is_read_and_logged(store, agent, room, entity):
    Participant.objects.join(room, entity)
    message, _ = Message.objects.record(room=room, content="hi", created_at=datetime.fromisoformat("2026-07-01"))
    assert Participant.objects.unread(entity) == {room.pk: 1}
    Participant.objects.mark_read(room, entity, at=message)
    assert Participant.objects.unread(entity) == {room.pk: 0}
    Log.objects.write("action", {}, entity=entity, room=room)
    assert list(Log.objects.delete_older_than(timezone.now() + SECOND)) == [1]


def test_tasks_are_done_when_they_are_due(committed_store, agent, monkeypatch):
    monkeypatch.setattr(registry, "_handlers", {})
    done = []
    agent_task("remind")(done.append)
    Task.objects.schedule("remind", agent=agent, at=timezone.now() - SECOND, every=timedelta(hours=1))
    Task.objects.schedule("remind", agent=agent, at=timedelta(hours=1))
    call_command("run_agent_tasks", drain=True, poll=0.05, stdout=StringIO(), stderr=StringIO())
    assert len(done) == 1
    following = Task.objects.pending().latest("started_at").run_at
    assert timedelta(minutes=59) < following - timezone.now() < timedelta(minutes=60)
