"""The core tables at work: what other programs may write, what is refused, what is deleted along."""

import itertools
import re

import django
import pytest
from django.apps import apps
from django.contrib.postgres.search import SearchQuery
from django.db import IntegrityError, transaction

from core_tables.models import Agent, Cache, Entity, Memory, Message, Room
from core_tables.models.memory import TextVector
from tests.core_tables import expected
from tests.core_tables.scratch import rows

pytestmark = pytest.mark.usefixtures("installed_tables")


@pytest.fixture
def ids():
    """One row of each table that others point to, written as another program would: required columns only."""
    agent = rows("INSERT INTO agents (name) VALUES ('Ada') RETURNING id")[0][0]
    world = rows("INSERT INTO worlds (agent_id, name) VALUES (%s, 'w') RETURNING id", agent)[0][0]
    room = rows(
        "INSERT INTO rooms (agent_id, source, type) VALUES (%s, 'test', 'DM') RETURNING id",
        agent,
    )[0][0]
    entity = rows("INSERT INTO entities (agent_id) VALUES (%s) RETURNING id", agent)[0][0]
    other = rows("INSERT INTO entities (agent_id) VALUES (%s) RETURNING id", agent)[0][0]
    memory = rows(
        "INSERT INTO memories (type, content, agent_id, room_id, entity_id) "
        """VALUES ('facts', '{"text": "The kettle is green"}', %s, %s, %s) RETURNING id""",
        agent,
        room,
        entity,
    )[0][0]
    message = rows(
        "INSERT INTO messages (room_id, content, author_id) VALUES (%s, 'hello', %s) RETURNING id",
        room,
        entity,
    )[0][0]
    return {
        "agent": agent,
        "world": world,
        "room": room,
        "entity": entity,
        "other": other,
        "memory": memory,
        "message": message,
    }


LEAVES = {
    "components": "INSERT INTO components (entity_id, agent_id, room_id, type) "
    "VALUES (%(entity)s, %(agent)s, %(room)s, 'profile')",
    "participants": "INSERT INTO participants (entity_id, room_id) VALUES (%(entity)s, %(room)s)",
    "relationships": "INSERT INTO relationships (source_entity_id, target_entity_id, agent_id) "
    "VALUES (%(entity)s, %(other)s, %(agent)s)",
    "embeddings": "INSERT INTO embeddings (memory_id) VALUES (%(memory)s)",
    "logs": "INSERT INTO logs (entity_id, room_id, type, body) VALUES (%(entity)s, %(room)s, 'action', '{}')",
    "cache": "INSERT INTO cache (key, agent_id, value) VALUES ('k', %(agent)s, '1')",
    "tasks": "INSERT INTO tasks (name, agent_id) VALUES ('tidy', %(agent)s)",
}


@pytest.fixture
def filled(ids):
    for sql in LEAVES.values():
        rows(sql, **ids)
    return ids


def count(table: str) -> int:
    return rows(f"SELECT count(*) FROM {table}")[0][0]


def test_other_programs_need_only_the_required_columns(filled):
    for model in apps.get_app_config("core_tables").get_models():
        for row in model.objects.all():
            assert row.created_at is not None
            assert row.updated_at is not None
            assert str(row)


@pytest.mark.parametrize(
    "sql",
    [
        """INSERT INTO memories (type, content, agent_id, metadata)
           VALUES ('x', '{}', %(agent)s, '{"type": "fragment", "documentId": "d"}')""",
        """INSERT INTO memories (type, content, agent_id, metadata)
           VALUES ('x', '{}', %(agent)s, '{"type": "fragment", "position": 0}')""",
        """INSERT INTO memories (type, content, agent_id, metadata)
           VALUES ('x', '{}', %(agent)s, '{"type": "document"}')""",
        "INSERT INTO embeddings (agent_id) VALUES (%(agent)s)",
        "INSERT INTO entities (id, agent_id) VALUES (%(entity)s, %(agent)s)",
        "INSERT INTO cache (key, agent_id, value) VALUES ('k', %(agent)s, '2')",
        LEAVES["participants"],
        LEAVES["relationships"],
        LEAVES["embeddings"],
    ],
)
def test_the_database_rejects(filled, sql):
    with pytest.raises(IntegrityError), transaction.atomic():
        rows(sql, **filled)


@pytest.mark.parametrize(
    "metadata",
    [
        "{}",
        '{"type": "other"}',
        '{"type": "fragment", "documentId": "d", "position": 0}',
        '{"type": "document", "timestamp": 1}',
    ],
)
def test_the_checks_on_metadata_let_pass(ids, metadata):
    rows(
        "INSERT INTO memories (type, content, agent_id, metadata) VALUES ('x', '{}', %s, %s)",
        ids["agent"],
        metadata,
    )


def test_a_message_of_a_source_is_kept_once_and_others_as_often_as_they_come(ids):
    sql = "INSERT INTO messages (room_id, content, source_type, source_id) VALUES (%s, 'x', 'discord', %s)"
    rows(sql, ids["room"], None)
    rows(sql, ids["room"], None)
    rows(sql, ids["room"], "1")
    with pytest.raises(IntegrityError), transaction.atomic():
        rows(sql, ids["room"], "1")


def test_deleting_an_agent_with_django_takes_all_with_it(filled):
    Agent.objects.get().delete()
    assert {table: count(table) for table in expected.COLUMNS} == dict.fromkeys(expected.COLUMNS, 0)
    rows("SET CONSTRAINTS ALL IMMEDIATE")


def test_leaf_rows_are_deleted_without_loading_them(filled, django_assert_max_num_queries):
    room = Room.objects.get()
    with django_assert_max_num_queries(20) as queries:
        room.delete()
    loaded = [query["sql"] for query in queries.captured_queries if query["sql"].startswith("SELECT")]
    assert not [sql for sql in loaded if '"logs"' in sql or '"components"' in sql or '"participants"' in sql]
    assert count("logs") == 0


def test_a_message_outlives_its_author_and_what_it_answers(ids):
    reply = Message.objects.create(room_id=ids["room"], content="hi", in_reply_to_id=ids["message"])
    Message.objects.get(pk=ids["message"]).delete()
    reply.refresh_from_db()
    assert reply.in_reply_to is None
    spoken = Message.objects.create(room_id=ids["room"], content="bye", author_id=ids["entity"])
    Entity.objects.get(pk=ids["entity"]).delete()
    spoken.refresh_from_db()
    assert spoken.author is None


@pytest.mark.skipif(django.VERSION < (6, 1), reason="Django 5.2 writes no ON DELETE")
def test_deleting_an_agent_with_sql_takes_all_with_it(filled):
    rows("DELETE FROM agents")
    assert {table: count(table) for table in expected.COLUMNS} == dict.fromkeys(expected.COLUMNS, 0)


def test_values_are_there_before_a_row_is_saved():
    agent = Agent(name="Ada")
    assert agent.pk
    assert agent.created_at
    assert (agent.bio, agent.settings, agent.enabled, agent.system) == ([], {}, True, "")
    agent.save()
    entry = Cache.objects.create(key="k", agent=agent, value=[1])
    assert entry.pk == ("k", agent.pk)
    assert Cache.objects.get(pk=("k", agent.pk)).value == [1]


def test_a_change_moves_updated_at_and_not_created_at():
    agent = Agent.objects.create(name="Ada")
    created, updated = agent.created_at, agent.updated_at
    agent.save()
    agent.refresh_from_db()
    assert agent.created_at == created
    assert agent.updated_at > updated


@pytest.mark.parametrize("server_side", [False, True])
def test_words_of_a_memory_are_found_through_the_index(ids, server_side):
    def search(text):
        return Memory.objects.alias(words=TextVector("content")).filter(
            words=SearchQuery(text, config=TextVector.config)
        )

    assert search("KETTLE").get().pk == ids["memory"]
    assert not search("teapot").exists()
    rows("SET LOCAL enable_seqscan = off")
    rows("SET LOCAL plan_cache_mode = force_generic_plan")
    sql, params = search("kettle").query.sql_with_params()
    if server_side:
        numbers = itertools.count(1)
        numbered = re.sub("%s", lambda _: f"${next(numbers)}", sql)
        rows(f"PREPARE search AS {numbered}")
        plan = rows("EXPLAIN EXECUTE search(" + ", ".join(["%s"] * len(params)) + ")", *params)
    else:
        plan = rows(f"EXPLAIN {sql}", *params)
    assert "memories_text_gin" in str(plan)
