"""Names of agents, rooms and entities are for those who may see these."""

import json

import pytest
from django.urls import reverse

from core_tables.models import (
    Agent,
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
from tests.admin.visits import text_of

NAME = "Name of "


def listed(kind):
    return reverse(f"admin:core_tables_{kind}_changelist")


def page(row, view="change"):
    return reverse(f"admin:core_tables_{row._meta.model_name}_{view}", args=[row.pk])


@pytest.fixture
def rows(agent, room, entity, memory):
    """A row of each kind that points to others."""
    world = World.objects.create(agent=agent, name=f"{NAME}world")
    Agent.objects.update(name=f"{NAME}agent")
    Room.objects.update(name=f"{NAME}room", world_id=world.pk)
    Entity.objects.update(names=[f"{NAME}entity"])
    Room.objects.create(agent=agent, source="irc", type="GROUP", name=f"{NAME}cellar")
    other = Entity.objects.create(agent=agent, names=[f"{NAME}other"])
    body = {"runId": "r", "status": "started"}
    return {
        "memory": memory,
        "log": Log.objects.create(type="run_event", agent=agent, room=room, entity=entity, body=body),
        "task": Task.objects.create(name="tidy", agent=agent),
        "component": Component.objects.create(type="card", agent=agent, entity=entity, room=room, world=world),
        "relationship": Relationship.objects.create(agent=agent, source_entity=entity, target_entity=other),
        "participant": Participant.objects.create(agent=agent, room=room, entity=entity),
        "message": Message.objects.create(room=room, author=entity, content="Hello."),
    }


@pytest.fixture
def only(staff, browse):
    """Return a client of somebody who may see one kind of rows alone."""
    return lambda kind: browse(staff(f"core_tables.view_{kind}"))


@pytest.mark.parametrize("kind", ["memory", "log", "task", "component", "relationship", "participant", "message"])
def test_who_sees_one_kind_of_rows_learns_ids(only, client, rows, kind):
    row = rows[kind]
    by_room = f"?room={rows['log'].room_id}"
    query = {"task": "?state=any", "participant": by_room, "message": by_room}.get(kind, "")
    for address in (f"{listed(kind)}{query}", page(row)):
        assert NAME in text_of(client.get(address)), address
        shown = text_of(only(kind).get(address))
        assert NAME not in shown, address
        assert any(str(rows["log"].__dict__[key]) in shown for key in ("agent_id", "entity_id")), address


@pytest.mark.parametrize("kind", ["memory", "log"])
def test_filters_name_no_row_that_somebody_may_not_see(only, client, rows, kind):
    other = Room.objects.get(name=f"{NAME}cellar")
    address = f"{listed(kind)}?room={other.pk}&entity={rows[kind].entity_id}&agent={rows[kind].agent_id}"
    assert f"{NAME}cellar" in text_of(client.get(address))
    shown = text_of(only(kind).get(address))
    assert NAME not in shown
    assert str(other.pk) in shown


def test_rooms_name_no_world(only, client, rows):
    address = f"{listed('room')}?world_id={World.objects.get().pk}"
    assert f"{NAME}world" in text_of(client.get(address))
    assert f"{NAME}world" not in text_of(only("room").get(address))


@pytest.mark.parametrize("view", ["memory_recall", "log_runs"])
def test_forms_name_no_row_that_somebody_may_not_see(only, client, rows, view):
    row = rows["memory"]
    query = f"?q=engine&arms=text&agent={row.agent_id}&room={row.room_id}&entity={row.entity_id}"
    address = reverse(f"admin:core_tables_{view}") + query
    assert text_of(client.get(address)).count(NAME) >= 4
    shown = text_of(only(view.split("_")[0]).get(address))
    assert NAME not in shown
    assert str(row.room_id) in shown


def test_forms_of_rows_name_none(staff, browse, client, rows):
    address = f"{reverse('admin:core_tables_participant_add')}?room={rows['memory'].room_id}"
    assert NAME in text_of(client.get(address))
    assert NAME not in text_of(browse(staff("core_tables.add_participant")).get(address))


def test_exports_name_none(only, client, rows):
    def exported(somebody, kind):
        answer = somebody.get(reverse(f"admin:core_tables_memory_export_{kind}"))
        return b"".join(answer.streaming_content).decode()

    for kind in ("csv", "jsonl"):
        assert exported(client, kind).count(NAME) == 3
        assert NAME not in exported(only("memory"), kind)
    assert json.loads(exported(only("memory"), "jsonl"))["room"] == str(rows["memory"].room_id)


def test_what_is_not_named_to_somebody_is_saved_as_it_is(staff, browse, rows):
    client = browse(staff("core_tables.view_memory", "core_tables.change_memory"))
    client.post(page(rows["memory"]), {"content": '{"text": "Quiet."}', "metadata": "{}"})
    saved = Memory.objects.select_related("agent", "room").get(pk=rows["memory"].pk)
    assert saved.content == {"text": "Quiet."}
    assert (saved.agent.name, saved.room.name) == (f"{NAME}agent", f"{NAME}room")
