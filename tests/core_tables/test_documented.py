"""The examples of the documents, run one after another as whoever reads them would."""

import re

import pytest
from django.apps import apps
from django.db import connection

from agentsql.signals import schema_applied
from core_tables.cache import AgentCache
from core_tables.models import Memory, Participant, Task
from core_tables.worker import registry
from tests.crowd import ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def run(committed_store, monkeypatch, settings):
    """Run the examples of a page, up to a heading, and return their names."""
    settings.AGENTSQL = {"EMBEDDER": "tests.core_tables.embedding.embed"}
    monkeypatch.setattr(registry, "_handlers", {})
    monkeypatch.setattr(schema_applied, "receivers", [])

    def run(page, before="\0"):
        names = {}
        text = (ROOT / "docs" / page).read_text().partition(before)[0]
        for number, code in enumerate(BLOCK.findall(text)):
            exec(compile(code, f"{page}[{number}]", "exec"), names)
        return names

    return run


def test_tasks(run):
    names = run("tasks.md")
    assert list(registry.registered()) == ["good-morning", "summarise-room", "tidy-memories"]
    task = Task.objects.claim(names=["summarise-room"])[0]
    assert registry.handler_of(task.name).run(task) == {"text": "Grace asked for tea."}
    Task.objects.filter(pk=task.pk).update(name="good-morning")
    registry.handler_of("good-morning").run(Task.objects.get(pk=task.pk))
    assert Task.objects.latest("created_at").run_at.hour == 9
    assert Task.objects.get(name="remind").entity_id == names["grace"].pk


def test_cache(run):
    names = run("cache.md")
    assert names["store"].get("turns") == 2
    for _ in range(2):
        schema_applied.send(sender=apps.get_app_config("core_tables"), using="default")
    caches = AgentCache(names["ADA"], {})
    caches.set("k", 1)
    assert caches.get("k") == 1


def test_rooms_and_people(run):
    names = run("rooms-and-people.md")
    assert names["page"][0].content == "Is the kettle on?"
    assert not Participant.objects.exists()


def test_memories_are_written(run):
    names = run("memory-store.md", before="## Finding memories")
    assert (names["fact"].unique, Memory.objects.count()) == (True, 12)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM embeddings WHERE model IS NULL")
        assert cursor.fetchone() == (2,)
