import random
import uuid
from array import array
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from core_tables.exceptions import InvalidContent, InvalidVector, UnknownWidth, WrongAgent
from core_tables.models import Agent, Embedding, Memory


def vector(seed, width=384):
    numbers = random.Random(seed)
    return [numbers.gauss(0, 1) for _ in range(width)]


def memories(agent, count, **values):
    return [Memory(agent=agent, type="facts", content={"text": f"fact {number}"}, **values) for number in range(count)]


class Matrix:
    """What an array with two dimensions is to us."""

    def __init__(self, rows):
        self.rows = rows

    def __iter__(self):
        return (array("f", row) for row in self.rows)


def test_memories_and_vectors_come_out_as_they_went_in(store, agent, room, entity):
    when = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    full = Memory(
        agent=agent,
        room=room,
        entity=entity,
        world_id=uuid.uuid4(),
        type="facts",
        content={"text": "żółć \\u0000", "n": [1, 2.5, None]},
        metadata={"a": {"b": True}},
        unique=False,
        expires_at=when,
        created_at=when,
    )
    bare = Memory(agent=agent, type="facts", content={})
    assert Memory.objects.bulk_add([full, bare], [vector(1), None], model="mini") == 2
    names = [field.attname for field in Memory._meta.concrete_fields]
    for memory in (full, bare):
        found = Memory.objects.get(pk=memory.pk)
        assert [getattr(found, name) for name in names] == [getattr(memory, name) for name in names]
        assert not memory._state.adding
    kept = Embedding.objects.get()
    assert (kept.memory, kept.agent, kept.model) == (full, agent, "mini")
    assert kept.dim_384 == pytest.approx(vector(1), abs=1e-6)
    assert kept.created_at <= timezone.now()


def test_the_words_are_found(store, agent):
    Memory.objects.bulk_add(memories(agent, 3))
    assert Memory.objects.filter(content__text="fact 1").count() == 1


def test_vectors_of_several_widths_go_to_their_columns(store, agent):
    every = memories(agent, 3)
    Memory.objects.bulk_add(every, [vector(1), vector(2, 3072), vector(3, 512)])
    assert [Embedding.objects.of_width(width).get().memory for width in (384, 3072, 512)] == every


def test_an_array_of_two_dimensions(store, agent):
    assert Memory.objects.bulk_add(memories(agent, 2), Matrix([vector(1), vector(2)])) == 2
    assert Embedding.objects.count() == 2


def test_what_is_there_stays_as_it_is(store, agent):
    first = memories(agent, 3)
    assert Memory.objects.bulk_add(first, [vector(1), None, None]) == 3
    again = [Memory(pk=memory.pk, agent=agent, type="x", content={}) for memory in first] + memories(agent, 1)
    assert Memory.objects.bulk_add(again, [vector(2)] * 4) == 1
    assert Memory.objects.of_type("facts").count() == 4
    assert Embedding.objects.count() == 2


def test_of_two_with_one_id_the_first_is_kept(store, agent):
    one, two = memories(agent, 2)
    two.pk = one.pk
    assert Memory.objects.bulk_add([one, two], [None, vector(2)]) == 1
    assert Memory.objects.get().content == {"text": "fact 0"}
    assert not Embedding.objects.exists()


def test_the_number_of_statements_is_fixed(store, agent, django_assert_max_num_queries):
    with django_assert_max_num_queries(9):
        Memory.objects.bulk_add(memories(agent, 100), [vector(number) for number in range(100)])


def test_twice_in_one_transaction(committed_store, agent):
    with transaction.atomic():
        Memory.objects.bulk_add(memories(agent, 1))
        Memory.objects.bulk_add(memories(agent, 1))
    assert Memory.objects.count() == 2


def test_an_id_leads_to_no_memory_of_another_agent(store, agent):
    theirs = Memory.objects.add("tea", agent=Agent.objects.create(name="Bob"), type="facts")
    every = memories(agent, 3)
    every[1].pk = str(theirs.pk)
    with pytest.raises(WrongAgent, match=rf"memories\[1\]: the id {theirs.pk} is that of a memory of another agent"):
        Memory.objects.bulk_add(every)
    assert Memory.objects.get() == theirs


def test_nothing_to_add(store, agent, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Memory.objects.bulk_add([]) == 0


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"content": "\0"}, InvalidContent, "content of a memory is a str"),
        ({"content": {"text": "\0"}}, InvalidContent, "NUL"),
        ({"metadata": None}, InvalidContent, "metadata"),
        ({"type": ""}, InvalidContent, "type"),
        ({"agent": None}, InvalidContent, "belongs to an agent"),
        ({"created_at": Now()}, InvalidContent, "created_at is an expression"),
        ({"unique": None}, InvalidContent, "unique is None: leave it out"),
        ({"room_id": "lab"}, InvalidContent, "room: .lab. is not a valid UUID"),
        ({"content": {"text": " ".join(map(str, range(150_000)))}}, InvalidContent, "split it"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_error_names_the_place_and_the_id(store, agent, change, error, words):
    every = memories(agent, 3)
    for name, value in change.items():
        setattr(every[1], name, value)
    with pytest.raises(error, match=words) as refused:
        Memory.objects.bulk_add(every)
    assert str(refused.value).startswith(f"memories[1] (id {every[1].pk}): ")
    assert not Memory.objects.exists()


@pytest.mark.parametrize(("wrong", "error"), [([1.0], UnknownWidth), ([0.0] * 384, InvalidVector)])
def test_an_error_of_a_vector_names_its_memory(store, agent, wrong, error):
    every = memories(agent, 2)
    with pytest.raises(error, match=rf"memories\[1\] \(id {every[1].pk}\)"):
        Memory.objects.bulk_add(every, [vector(1), wrong])


def test_as_many_vectors_as_memories(store, agent):
    with pytest.raises(ValueError, match="2 memories have 1 vectors"):
        Memory.objects.bulk_add(memories(agent, 2), [vector(1)])


def add_at_once(lists):
    def write(every):
        try:
            return Memory.objects.bulk_add(every, [vector(1)] * len(every))
        finally:
            connection.close()

    with ThreadPoolExecutor(len(lists)) as pool:
        return sum(pool.map(write, lists))


def test_sixteen_threads_add_the_same(committed_store, agent):
    assert add_at_once([memories(agent, 40)] * 16) == 40
    assert Memory.objects.count() == Embedding.objects.count() == 40


SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END';
CREATE TRIGGER slow BEFORE INSERT ON memories FOR EACH ROW EXECUTE FUNCTION slow()
"""


def test_two_that_add_the_same_in_another_order_do_not_wait_for_each_other(committed_store, agent):
    every = memories(agent, 20)
    with connection.cursor() as cursor:
        cursor.execute(SLOW)
        try:
            assert add_at_once([every, every[::-1]]) == 20
        finally:
            cursor.execute("DROP FUNCTION slow CASCADE")


@pytest.mark.parametrize("binding", [False, True])
def test_with_either_kind_of_cursor(committed_store, agent, binding):
    connection.close()
    options = connection.settings_dict["OPTIONS"]
    connection.settings_dict["OPTIONS"] = options | {"server_side_binding": binding}
    connection.features.__dict__.pop("uses_server_side_binding", None)
    try:
        assert connection.features.uses_server_side_binding is binding
        assert Memory.objects.bulk_add(memories(agent, 2), [vector(1), vector(2)]) == 2
        memory = Memory.objects.add("tea", agent=agent, type="facts", vector=vector(1))
        assert not memory.unique
        Memory.objects.put_embedding(memory, vector(3))
        assert Memory.objects.filter(pk=memory.pk).delete_with_fragments()[0] == 2
    finally:
        connection.close()
        connection.settings_dict["OPTIONS"] = options
        connection.features.__dict__.pop("uses_server_side_binding", None)
