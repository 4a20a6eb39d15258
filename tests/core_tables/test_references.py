"""What a new row points to is not there."""

import uuid

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from core_tables.exceptions import MemoryStoreError, UnknownAgent, UnknownRow
from core_tables.models import Embedding, Log, Memory, Task
from core_tables.references import clear_references

GONE = uuid.UUID(int=7)
VECTOR = [1.0] * 384


@pytest.mark.parametrize(
    "write",
    [
        lambda: Memory.objects.add("tea", agent=GONE, type="facts"),
        lambda: Memory.objects.add("tea", agent=GONE, type="facts", vector=VECTOR),
        lambda: Memory.objects.bulk_add([Memory(agent_id=GONE, type="facts", content={})], [VECTOR]),
        lambda: Task.objects.schedule("remind", agent=GONE),
        lambda: Task.objects.get_or_schedule("remind", agent=GONE),
    ],
    ids=["add", "add a vector", "bulk_add", "schedule", "get_or_schedule"],
)
def test_an_agent_that_is_gone_is_named(committed_store, write):
    with pytest.raises(UnknownAgent, match=f"There is no agent with the id {GONE}: create it first"):
        write()
    assert not Memory.objects.exists() and not Task.objects.exists() and not Embedding.objects.exists()  # noqa: PT018


def test_a_room_or_an_entity_that_is_gone_is_named(committed_store, agent):
    for name in ("room", "entity"):
        with pytest.raises(UnknownRow, match=f"There is no {name} with the id {GONE}"):
            Memory.objects.add("tea", agent=agent, type="facts", **{name: GONE})


def test_a_constraint_that_does_not_wait_is_told_in_a_transaction_too(store):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(UnknownAgent), transaction.atomic():
        Memory.objects.add("tea", agent=GONE, type="facts")


def test_what_other_tables_refuse_is_left_as_it_is(committed_store, agent):
    with pytest.raises(IntegrityError), clear_references(Task):
        Memory.objects.model(agent_id=GONE, type="facts", content={}).save()
    with pytest.raises(IntegrityError), clear_references(Log):
        raise IntegrityError("of nobody's")


def test_one_class_is_above_them():
    assert issubclass(UnknownAgent, UnknownRow)
    assert issubclass(UnknownRow, MemoryStoreError)
    assert not issubclass(UnknownRow, DatabaseError)
