"""Deletions confirmed by numbers, held against what Django itself would list and delete."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import NestedObjects
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core_tables.admin.bounded import Amount
from core_tables.admin.consequences import FOLLOWED, Consequences
from core_tables.models import Agent, Component, Embedding, Entity, Log, Memory, Message, Relationship, Room
from tests.admin import many

LIST = reverse("admin:core_tables_agent_changelist")


def page_of(row):
    return reverse(f"admin:core_tables_{row._meta.model_name}_delete", args=[row.pk])


@pytest.fixture
def full(agent, room, entity):
    """An agent with some of everything, also of what is another agent's and goes along."""
    other = Agent.objects.create(name="Bo")
    friend = Entity.objects.create(agent=other, names=["Friend"])
    memory = Memory.objects.create(agent=other, room=room, entity=friend, type="facts", content={})
    Embedding.objects.create(memory=memory, agent=other)
    Memory.objects.create(agent=agent, room=room, entity=entity, type="facts", content={})
    Relationship.objects.relate(entity, friend, agent=other)
    Component.objects.create(entity=friend, source_entity=entity, agent=other, room=room, type="x")
    Log.objects.write("x", {}, entity=entity, room=room)
    Message.objects.create(room=room, author=friend, content="hi")
    return agent


def test_the_numbers_are_those_of_django(full):
    rows = Agent._base_manager.using("default").filter(pk=full.pk)
    collector = NestedObjects(using="default", origin=rows)
    collector.collect(rows)
    theirs = {model: len(found) for model, found in collector.model_objs.items() if model is not Agent}
    ours = Consequences(rows).amounts
    assert {model: amount.counted for model, amount in ours.items()} == theirs
    assert all(amount.about is None for amount in ours.values())


def test_an_agent_goes_with_all_that_is_its_own(full, client):
    page = client.get(page_of(full)).content.decode()
    assert "Memories: 2" in page
    assert "Log entries: 1" in page
    assert client.post(page_of(full), {"post": "yes"}).status_code == 302
    assert set(Agent.objects.values_list("name", flat=True)) == {"Bo"}
    assert not Memory.objects.exists()
    assert LogEntry.objects.get().object_repr == "Ada"


def test_several_at_once(full, client):
    chosen = {"action": "delete_selected", "_selected_action": [str(full.pk)]}
    assert "Memories: 2" in client.post(LIST, chosen).content.decode()
    assert client.post(LIST, chosen | {"post": "yes"}).status_code == 302
    assert Agent.objects.count() == 1


def test_what_goes_along_needs_its_own_right(full, staff, browse):
    somebody = browse(staff("core_tables.delete_agent", "core_tables.view_agent"))
    page = somebody.get(page_of(full)).content.decode()
    assert "have permission to delete" in page
    assert "memory" in page
    assert somebody.post(page_of(full), {"post": "yes"}).status_code == 403
    assert Agent.objects.count() == 2


def test_beyond_what_is_followed_numbers_are_estimates(agent, room, entity):
    many.memories(agent, room, entity, FOLLOWED + 500)
    many.embeddings(FOLLOWED + 500)
    many.analyzed()
    with CaptureQueriesContext(connection) as queries:
        found = Consequences(Agent._base_manager.using("default").filter(pk=agent.pk)).amounts
    assert str(found[Memory]) == "about 1,500"
    assert str(found[Embedding]) == "about 1,500"
    assert found[Room] == Amount(counted=1)
    assert not any("count(*)" in query["sql"].lower() for query in queries)


def test_what_a_way_of_which_a_part_was_left_out_leads_to_counts_as_possible(agent):
    Entity.objects.bulk_create(Entity(agent=agent, names=[str(number)]) for number in range(FOLLOWED + 1))
    found = Consequences(Agent._base_manager.using("default").filter(pk=agent.pk)).amounts
    assert str(found[Component]) == "maybe some"


def test_what_fails_is_neither_deleted_nor_logged(full, client, monkeypatch):
    def forbidden(*_):
        from django.db.models import ProtectedError

        raise ProtectedError("A plugin holds on to it.", set())

    monkeypatch.setattr("core_tables.querysets.sweep.sweep", forbidden)
    monkeypatch.setattr("core_tables.querysets.agents.SweepingQuerySet.delete", forbidden)
    chosen = {"action": "delete_selected", "_selected_action": [str(full.pk)], "post": "yes"}
    assert "A plugin holds on to it." in client.post(LIST, chosen, follow=True).content.decode()
    assert Agent.objects.count() == 2
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Amount(counted=7), "7"),
        (Amount(counted=1000, about=1_234_567), "about 1,200,000"),
        (Amount(counted=1000, about=900), "1,000 or more"),
        (Amount(counted=0, about=1), "maybe some"),
        (Amount(counted=0, about=88), "about 88"),
    ],
)
def test_amounts_in_words(amount, text):
    assert str(amount) == text
