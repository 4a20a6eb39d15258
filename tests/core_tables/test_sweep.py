"""Deleting what has a great many rows pointing to it."""

import pytest
from django.db import connection
from django.db.models import Count, Window
from django.db.models.functions import RowNumber
from django.db.models.signals import post_delete
from django.test.utils import CaptureQueriesContext

from core_tables.models import (
    Agent,
    Component,
    Embedding,
    Entity,
    Memory,
    Message,
    Participant,
    Relationship,
    Room,
    World,
)
from example_plugin.models import Document, Passage

pytestmark = pytest.mark.usefixtures("store")


def populated(name, number=3):
    """An agent with rows in most tables that lead back to it, by one path or several."""
    agent = Agent.objects.create(name=name)
    world = World.objects.create(agent=agent, name="w")
    rooms = Room.objects.bulk_create(Room(agent=agent, source="x", type="DM") for _ in range(number))
    people = Entity.objects.bulk_create(Entity(agent=agent, names=[str(n)]) for n in range(number))
    for person, room in zip(people, rooms, strict=True):
        Participant.objects.join(room, *people)
        Component.objects.put(person, "profile", {}, agent=agent, room=room, world=world)
        Relationship.objects.relate(people[0], person, agent=agent)
        first = Message.objects.create(room=room, author=person, content="hello")
        Message.objects.create(room=room, author=person, content="again", in_reply_to=first)
        memory = Memory.objects.create(agent=agent, room=room, entity=person, type="facts", content={"text": "x"})
        Embedding.objects.create(memory=memory, agent=agent, dim_384=[1] * 384)
    return agent


def counts():
    models = (Agent, World, Room, Entity, Participant, Component, Relationship, Message, Memory, Embedding)
    return [model.objects.count() for model in models]


@pytest.mark.parametrize("by_queryset", [True, False])
def test_all_that_is_an_agents_goes_with_it_and_nothing_else(by_queryset):
    populated("Eve")
    others = counts()
    agent = populated("Ada", 4)
    total, found = Agent.objects.filter(pk=agent.pk).delete() if by_queryset else agent.delete()
    assert counts() == others
    # Every row once, by the path that came first.
    assert found == {
        "core_tables.Agent": 1,
        "core_tables.World": 1,
        "core_tables.Room": 4,
        "core_tables.Entity": 4,
        "core_tables.Participant": 16,
        "core_tables.Component": 4,
        "core_tables.Relationship": 4,
        "core_tables.Message": 8,
        "core_tables.Memory": 4,
        "core_tables.Embedding": 4,
    }
    assert total == sum(found.values())


def test_the_number_of_statements_does_not_depend_on_that_of_rows():
    def statements(number):
        agent = populated("Ada", number)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            agent.delete()
        return len(queries)

    assert statements(2) == statements(12)


@pytest.mark.parametrize("by_queryset", [True, False])
def test_nothing_that_goes_along_is_loaded(monkeypatch, by_queryset):
    agent = populated("Ada", 4)
    loaded = []
    for model in (World, Room, Entity, Message, Memory):
        monkeypatch.setattr(model, "from_db", classmethod(lambda cls, *_, **__: loaded.append(cls)))
    if by_queryset:
        Agent.objects.all().delete()
    else:
        agent.delete()
    assert loaded == []


def test_rows_that_only_let_go_stay():
    room, other = (Room.objects.create(source="x", type="DM") for _ in range(2))
    ada = Agent.objects.create(name="Ada")
    author = Entity.objects.create(agent=ada)
    first = Message.objects.create(room=room, author=author, content="a")
    answer = Message.objects.create(room=other, content="b", in_reply_to=first)
    author.delete()
    first.refresh_from_db()
    assert first.author is None
    room.delete()
    answer.refresh_from_db()
    assert answer.in_reply_to is None


def test_the_rows_of_plugins_follow_their_rules():
    agent = populated("Ada")
    document = Document.objects.create(agent=Agent.objects.create(name="Eve"), title="t")
    passage = Passage.objects.create(document=document, position=1, text="x", memory=Memory.objects.first())
    Document.objects.create(agent=agent, title="gone").rooms.set(Room.objects.all())
    agent.delete()
    passage.refresh_from_db()
    assert passage.memory is None
    assert list(Document.objects.all()) == [document]


def test_whoever_listens_hears_of_every_row():
    heard = []

    def listen(instance, **_):
        heard.append(instance.pk)

    agent = populated("Ada")
    memories = set(Memory.objects.values_list("pk", flat=True))
    post_delete.connect(listen, sender=Memory)
    try:
        agent.delete()
    finally:
        post_delete.disconnect(listen, sender=Memory)
    assert set(heard) == memories
    assert len(heard) == len(memories)
    assert counts() == [0] * 10


def test_a_queryset_that_django_refuses_loses_nothing():
    populated("Ada")
    before = counts()
    with pytest.raises(TypeError):
        Agent.objects.all()[:1].delete()
    assert counts() == before
    assert not hasattr(Agent.objects, "delete")


def within(agent):
    """Querysets of agents, rooms and people whose filters look at what goes with them."""
    return [
        agent.rooms.with_entity(agent.entities.first()),
        agent.rooms.filter(messages__content="hello"),
        agent.rooms.filter(messages__content="hello").distinct().order_by("name"),
        agent.rooms.annotate(said=Count("messages")).filter(said__gt=1),
        agent.rooms.annotate(n=Window(RowNumber(), order_by="created_at")).filter(n__gt=0),
        agent.rooms.with_last_message().filter(last_message="again"),
        agent.rooms.select_related("agent").prefetch_related("messages").filter(participants__isnull=False),
        agent.entities.in_room(agent.rooms.first()),
        Message.objects.filter(in_reply_to__content="hello", room__agent=agent),
        Agent.objects.filter(pk=agent.pk, memories__type="facts"),
    ]


@pytest.mark.parametrize("batch", [2, 100])
@pytest.mark.parametrize("heard", [False, True])
@pytest.mark.parametrize("place", range(10))
def test_the_rows_are_chosen_before_what_the_filter_looks_at_is_gone(monkeypatch, place, heard, batch):
    monkeypatch.setattr("core_tables.querysets.sweep.BATCH", batch)
    populated("Eve")
    others = counts()
    agent = populated("Ada")
    rows = within(agent)[place]
    keys = set(rows.values_list("pk", flat=True))
    assert keys

    def listen(**_):
        pass

    if heard:
        post_delete.connect(listen, sender=rows.model)
    try:
        _, found = rows.delete()
    finally:
        post_delete.disconnect(listen, sender=rows.model)
    assert found[rows.model._meta.label] == len(keys)
    assert not rows.model.objects.filter(pk__in=keys).exists()
    agent.delete()
    assert counts() == others


def test_what_is_chosen_is_locked_once():
    populated("Ada")
    with CaptureQueriesContext(connection) as queries:
        Room.objects.filter(messages__content="hello").delete()
    asked = [query["sql"] for query in queries if "'hello'" in query["sql"]]
    assert len(asked) == 1
    assert asked[0].endswith("FOR UPDATE")


def test_nothing_chosen_is_nothing_deleted():
    populated("Ada")
    before = counts()
    assert Room.objects.filter(name="none").delete() == (0, {})
    assert counts() == before
