"""Rows as other programs may write them: no page fails over one, and each can be deleted here."""

import pytest
from django.contrib.admin.utils import quote
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core_tables.admin.lines import LinesField
from core_tables.models import (
    Agent,
    Cache,
    Component,
    Embedding,
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

MODELS = (Agent, World, Room, Entity, Component, Relationship, Participant, Message, Memory, Log, Task, Cache)
DEEP = "'" + "[" * 12_000 + "]" * 12_000 + "'::jsonb"
TIMES = ("'infinity'", "'-infinity'", "'4000-01-01 BC'")


@pytest.fixture
def rows(agent, room, entity, memory):
    """A row of each table, which know of each other."""
    other = Entity.objects.create(agent=agent, names=["Tom"])
    world = World.objects.create(agent=agent, name="home")
    Room.objects.filter(pk=room.pk).update(world_id=world.pk)
    message = Message.objects.create(room=room, author=entity, content="Hello")
    return [
        agent,
        world,
        room,
        entity,
        memory,
        message,
        Message.objects.create(room=room, author=other, content="Yes?", in_reply_to=message),
        Component.objects.create(agent=agent, entity=entity, room=room, type="mood", data={}),
        Relationship.objects.create(agent=agent, source_entity=entity, target_entity=other),
        Participant.objects.create(room=room, entity=entity, last_read_at=timezone.now()),
        Log.objects.create(agent=agent, room=room, entity=entity, type="error", body={"runId": "1", "status": "error"}),
        Task.objects.create(agent=agent, name="sweep", run_at=timezone.now(), last_error="no"),
        Task.objects.create(agent=agent, name="sweep", run_at=timezone.now(), status="running"),
        Task.objects.create(agent=agent, name="sweep", run_at=timezone.now(), status="failed", last_error="no"),
        Cache.objects.create(agent=agent, key="a", value=1),
    ]


def address_of(row, page):
    name = f"admin:core_tables_{row._meta.model_name}_{page}"
    return reverse(name, args=[quote(f"{row.agent_id}:{row.key}" if isinstance(row, Cache) else str(row.pk))])


def pages(rows):
    """Yield the address of every page about these rows."""
    for model in MODELS:
        listed = reverse(f"admin:core_tables_{model._meta.model_name}_changelist")
        yield from (listed, f"{listed}?q=Grace")
    for row in rows:
        yield from (address_of(row, page) for page in ("change", "delete", "history") if not is_odd(row, page))
    agent, _, room, entity, memory, message, *_ = rows
    for state in ("due", "running", "failed", "done", "any"):
        yield f"{reverse('admin:core_tables_task_changelist')}?state={state}"
    for name in ("message", "participant", "memory", "log"):
        yield f"{reverse(f'admin:core_tables_{name}_changelist')}?room={room.pk}"
    yield f"{reverse('admin:core_tables_log_changelist')}?time=any&entity={entity.pk}"
    yield f"{reverse('admin:core_tables_room_changelist')}?world_id={rows[1].pk}"
    yield address_of(agent, "dashboard")
    yield address_of(room, "transcript")
    yield f"{address_of(room, 'transcript')}?message={message.pk}"
    yield f"{address_of(room, 'transcript')}?at=2020-01-01"
    yield address_of(room, "transcript_export")
    yield reverse("admin:core_tables_log_runs")
    yield f"{reverse('admin:core_tables_memory_recall')}?memory={memory.pk}&arms=vector&agent={agent.pk}"
    yield f"{reverse('admin:core_tables_memory_recall')}?q=engine&arms=text&room={room.pk}"
    yield from (reverse(f"admin:core_tables_memory_export_{kind}") for kind in ("csv", "jsonl"))


def is_odd(row, page):
    return isinstance(row, Cache) and page == "history"


def failures(client, addresses):
    """Return {address: what went wrong}; None is a redirect, which no page about a row that is there answers with."""
    found = {}
    for address in addresses:
        try:
            with transaction.atomic():
                response = client.get(address)
                if response.streaming:
                    list(response)
            if response.status_code != 200:
                found[address] = response.status_code
        except Exception as error:  # noqa: BLE001 - told with its page
            found[address] = repr(error)[:200]
    return found


def written(model, assignments):
    with connection.cursor() as cursor:
        cursor.execute(f'UPDATE "{model._meta.db_table}" SET {assignments}')


def everywhere(kinds, value):
    """Write a value to all columns of these kinds."""
    for model in (*MODELS, Embedding):
        columns = [field.column for field in model._meta.concrete_fields if type(field) in kinds]
        if columns:
            written(model, ", ".join(f'"{column}" = {value}' for column in columns))


def test_pages_are_all_of_them(client, rows):
    assert failures(client, pages(rows)) == {}


@pytest.mark.parametrize("names", ["array[null]", "array['a', null]", "'{{a,b},{c,d}}'", "'{}'", "array['']"])
def test_names_and_tags_that_are_none(client, rows, names):
    written(Entity, f"names = {names}")
    written(Relationship, f"tags = {names}")
    written(Task, f"tags = {names}")
    assert failures(client, pages(rows)) == {}


@pytest.mark.parametrize("time", TIMES)
def test_rows_of_such_times_are_exported_once(client, rows, time):
    everywhere({models.DateTimeField}, time)
    memory = reverse("admin:core_tables_memory_export_jsonl")
    assert len(b"".join(client.get(memory)).splitlines()) == 1
    assert len(b"".join(client.get(address_of(rows[2], "transcript_export"))).splitlines()) == 2


@pytest.mark.parametrize("time", TIMES)
def test_times_that_python_does_not_know(client, rows, time):
    everywhere({models.DateTimeField}, time)
    assert failures(client, pages(rows)) == {}


@pytest.mark.parametrize("span", ["100000000 years"])
def test_spans_that_python_does_not_know(client, rows, span):
    written(Task, f"every = '{span}'")
    assert failures(client, pages(rows)) == {}


def test_json_that_is_nested_too_deep_for_python(client, rows):
    everywhere({models.JSONField}, DEEP)
    assert failures(client, pages(rows)) == {}


def test_json_too_deep_can_be_deleted(client, rows):
    everywhere({models.JSONField}, DEEP)
    for row in rows[::-1]:
        address = address_of(row, "delete")
        assert client.post(address, {"post": "yes"}).status_code == 302, address
    assert not any(model.objects.exists() for model in MODELS if model is not Entity)


def test_json_too_deep_is_shown_as_its_text(client, rows):
    written(Log, f"body = {DEEP}")
    assert "[[[[[[" in client.get(address_of(rows[10], "change")).content.decode()


def test_settings_too_deep_are_masked_whole(client, rows):
    written(Agent, f"settings = jsonb_build_object('API_KEY', 'hunter2', 'deep', {DEEP})")
    assert "hunter2" not in client.get(address_of(rows[0], "change")).content.decode()


def test_tags_that_are_none_stay_where_nobody_touches_them():
    field = LinesField()
    shown = field.prepare_value(["a", None, ["b"]])
    assert shown == "a\nb"
    assert not field.has_changed(["a", None, ["b"]], shown)


class TestStranded:
    """Rows whose agent is gone."""

    @pytest.fixture
    def stranded(self, rows):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("DELETE FROM agents")
            cursor.execute("SET LOCAL session_replication_role = origin")
        return rows[1:]

    def test_are_listed_by_the_id_of_the_agent(self, client, stranded):
        agent = str(stranded[0].agent_id)
        lists = [reverse(f"admin:core_tables_{model._meta.model_name}_changelist") for model in MODELS[1:]]
        assert failures(client, lists) == {}
        for model in (World, Entity, Relationship, Component, Memory, Cache, Task):
            page = client.get(reverse(f"admin:core_tables_{model._meta.model_name}_changelist")).content.decode()
            assert agent in page, model

    def test_have_pages(self, client, stranded):
        pages = [
            address_of(row, page)
            for row in stranded
            for page in ("change", "delete", "history")
            if not is_odd(row, page)
        ]
        pages += [reverse(f"admin:core_tables_memory_export_{kind}") for kind in ("csv", "jsonl")]
        assert failures(client, pages) == {}

    @pytest.mark.usefixtures("stranded")
    def test_are_exported(self, client):
        assert b"The engine hums." in b"".join(client.get(reverse("admin:core_tables_memory_export_jsonl")))

    def test_can_be_deleted(self, client, stranded):
        for row in stranded[::-1]:
            assert client.post(address_of(row, "delete"), {"post": "yes"}).status_code == 302
        assert not any(model.objects.exists() for model in (World, Room, Memory, Task, Cache))


class TestLarge:
    """Texts of a million characters: lists show their beginnings."""

    LONG = "repeat('x', 1000000)"

    @pytest.mark.parametrize(
        ("model", "columns"),
        [
            (Room, ("name", "type")),
            (World, ("name",)),
            (Task, ("last_error",)),
            (Agent, ("system",)),
            (Message, ("content",)),
        ],
    )
    def test_list(self, client, rows, model, columns):
        written(model, ", ".join(f"{column} = {self.LONG}" for column in columns))
        if model in (Message, Room):
            written(Memory, "type = 'x'")
        address = reverse(f"admin:core_tables_{model._meta.model_name}_changelist")
        assert len(client.get(f"{address}?room={rows[2].pk}" if model is Message else address).content) < 100_000

    def test_task(self, client, rows):
        written(Task, f"last_error = {self.LONG} || 'the end'")
        page = client.get(address_of(rows[11], "change")).content
        assert b"the end" in page
        assert len(page) < 100_000

    def test_what_filters_and_lists_point_to_is_not_read(self, client, rows):
        """Only what their names are made of."""
        with CaptureQueriesContext(connection) as asked:
            for model in (World, Memory, Log, Relationship):
                address = reverse(f"admin:core_tables_{model._meta.model_name}_changelist")
                client.get(f"{address}?room={rows[2].pk}" if model in (Memory, Log) else address)
        read = [query["sql"] for query in asked.captured_queries]
        for column in ('"agents"."settings"', '"entities"."metadata"', '"rooms"."metadata"', '"worlds"."metadata"'):
            assert not [sql for sql in read if column in sql]
