import asyncio
import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core_tables.contents import CONTENT_BYTES
from core_tables.exceptions import InvalidContent, InvalidVector, UnknownWidth, WrongAgent
from core_tables.models import Agent, Embedding, Entity, Memory, Room, World


def vector(seed, width=384):
    numbers = random.Random(seed)
    return [numbers.gauss(0, 1) for _ in range(width)]


def near(numbers, by):
    noise = random.Random(7)
    return [number + noise.gauss(0, by) for number in numbers]


def add(content="green tea", **values):
    return Memory.objects.add(content, **{"type": "facts"} | values)


def test_a_text_is_kept_under_its_key(store, agent, room, entity):
    world = World.objects.create(agent=agent, name="Earth")
    memory = add(agent=agent, room=room, entity=entity.pk, world=world, metadata={"source": "chat"})
    found = Memory.objects.get(pk=memory.pk)
    assert found.content == {"text": "green tea"}
    assert (found.agent, found.room, found.entity, found.world_id) == (agent, room, entity, world.pk)
    assert (found.metadata, found.unique) == ({"source": "chat"}, True)


def test_without_a_vector_one_statement_does(store, agent, django_assert_num_queries):
    with django_assert_num_queries(1):
        add(agent=agent)


def test_memory_and_vector_are_written_together(store, agent, django_assert_num_queries):
    with django_assert_num_queries(6):  # savepoint, estimate, nearest, memory, embedding, release
        memory = add(agent=agent, vector=vector(1), model="mini")
    assert memory.embedding.agent == agent
    assert memory.embedding.model == "mini"
    assert Embedding.objects.get(memory=memory).dim_384 == pytest.approx(vector(1), abs=1e-6)


def test_a_vector_that_does_not_fit_leaves_no_memory(store, agent):
    for wrong, error in (([1.0] * 5, UnknownWidth), ([0.0] * 384, InvalidVector)):
        with pytest.raises(error):
            add(agent=agent, vector=wrong)
    assert not Memory.objects.exists()


def test_the_second_add_of_an_id_changes_nothing(store, agent):
    key = uuid.uuid4()
    first = add("tea", agent=agent, id=key)
    again = add("coffee", agent=agent, id=key, vector=vector(1))
    assert again == first
    assert again.content == {"text": "tea"}
    assert not Embedding.objects.exists()


def test_an_id_leads_to_no_memory_of_another_agent(store, agent):
    memory = add(agent=agent)
    assert add(agent=str(agent.pk), id=str(memory.pk)) == memory
    with pytest.raises(WrongAgent, match=str(memory.pk)):
        add(agent=Agent.objects.create(name="Alan"), id=memory.pk)


def test_sixteen_threads_add_one_memory(committed_store, agent):
    key = uuid.uuid4()

    def write(number):
        try:
            return add(str(number), agent=agent, id=key, vector=vector(number)).content
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        contents = list(pool.map(write, range(16)))
    assert contents == [Memory.objects.get().content] * 16
    assert Embedding.objects.count() == 1


def test_sixteen_threads_that_write_the_same_leave_one_unique(committed_store, agent):
    def write(number):
        try:
            return add(agent=agent, vector=vector(1)).unique
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(write, range(16))) == [False] * 15 + [True]


def test_save_and_add_tell_the_same_listeners(store, agent):
    heard = []

    def listen(instance, created, **rest):
        heard.append((instance.pk, created))

    post_save.connect(listen, sender=Memory)
    try:
        memory = add(agent=agent)
        add(agent=agent, id=memory.pk)
    finally:
        post_save.disconnect(listen, sender=Memory)
    assert heard == [(memory.pk, True)]


def test_a_near_duplicate_is_kept_but_not_unique(store, agent, room):
    add(agent=agent, room=room, vector=vector(1))
    assert not add(agent=agent, room=room, vector=near(vector(1), 0.1)).unique
    assert add(agent=agent, room=room, vector=near(vector(1), 0.6)).unique
    assert add(agent=agent, room=room, vector=near(vector(1), 0.2), duplicate_at=0.9999).unique
    assert add(agent=agent, room=room, vector=vector(1), unique=True).unique
    assert not add(agent=agent, room=room, unique=False).unique


def test_only_what_has_the_same_scope_is_compared(store, agent, room, entity):
    other = Agent.objects.create(name="Alan")
    hall = Room.objects.create(agent=agent, source="discord", type="GROUP")
    alan = Entity.objects.create(agent=agent, names=["Alan"])
    add(agent=agent, room=room, entity=entity, vector=vector(1))
    apart = [{"agent": other}, {"type": "goals"}, {"room": hall}, {"entity": alan}]
    for change in apart:
        values = {"agent": agent, "room": room, "entity": entity} | change
        assert add(**values, vector=vector(1), id=uuid.uuid4()).unique, change
    assert not add(agent=agent, vector=vector(1)).unique  # no room given: all rooms count


def test_the_expired_and_those_of_other_widths_do_not_count(store, agent):
    add(agent=agent, vector=vector(1), expires_at=timezone.now() - timedelta(seconds=1))
    add(agent=agent, vector=vector(1, 768))
    assert add(agent=agent, vector=vector(1)).unique


def test_a_large_scope_is_searched_by_the_index(store, agent, monkeypatch):
    monkeypatch.setattr("core_tables.search.route.FEW", -1)
    for width in (384, 3072):
        memories = [Memory(agent=agent, type="facts", content={}) for _ in range(20)]
        Memory.objects.bulk_add(memories, [vector(number, width) for number in range(20)])
        assert not add(agent=agent, vector=vector(3, width)).unique
        assert add(agent=agent, vector=vector(99, width)).unique


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is a NoneType"),
        (["tea"], "is a list"),
        ("a\0b", "NUL"),
        ({"a\0b": 1}, "NUL"),
        ("\ud800", "surrogate"),
        ({"at": timezone.now()}, "datetime is not JSON"),
        ({"n": float("nan")}, "can't be written as JSON"),
        ({"n": 10**5000}, "can't be written as JSON"),
        ("a" * CONTENT_BYTES, "is the most"),
        (" ".join(map(str, range(150_000))), "split it"),
    ],
    ids=["None", "list", "NUL", "NUL in a key", "surrogate", "time", "NaN", "number", "bytes", "words"],
)
def test_what_postgresql_would_refuse_is_told_in_words(store, agent, content, words):
    with pytest.raises(InvalidContent, match=words):
        add(content, agent=agent)
    assert not Memory.objects.exists()  # the transaction goes on


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ([], "metadata of a memory is a list"),
        ({"type": "fragment", "position": 1}, "needs the key documentId"),
        ({"type": "document"}, "needs the key timestamp"),
        ({"type": "x" * 1001}, "key type has 1,001 bytes"),
    ],
)
def test_metadata_follow_their_rules(store, agent, metadata, words):
    with pytest.raises(InvalidContent, match=words):
        add(agent=agent, metadata=metadata)


def test_what_looks_like_a_nul_is_none(store, agent):
    memory = add("a\\u0000b \\\\u0000", agent=agent)
    memory.refresh_from_db()
    assert memory.content["text"] == "a\\u0000b \\\\u0000"


def test_long_words_and_repeated_ones_are_taken(store, agent):
    add("x" * 500_000, agent=agent)
    add("green tea " * 300_000, agent=agent)


@pytest.mark.parametrize("kind", ["", "a\0", "x" * 1001, None])
def test_a_type_has_to_fit_its_index(store, agent, kind):
    with pytest.raises(InvalidContent, match="type of a memory"):
        add(agent=agent, type=kind)


def test_the_longest_indexed_keys_fit(store, agent):
    text = "".join(chr(random.Random(0).randrange(0x4E00, 0x9FFF)) for _ in range(333))
    add(agent=agent, type=text, metadata={"type": text, "documentId": text, "position": text})


def test_lists_of_memories(store, agent, room):
    hall = Room.objects.create(agent=agent, source="discord", type="GROUP", world_id=uuid.uuid4())
    one = add(agent=agent, room=room)
    two = add(agent=agent, room=hall, type="goals", world=hall.world_id)
    three = add(agent=agent, vector=vector(1))
    assert set(Memory.objects.in_rooms(room, hall.pk)) == {one, two}
    assert set(Memory.objects.in_rooms([room, hall])) == set(Memory.objects.in_rooms(agent.rooms.all())) == {one, two}
    assert list(Memory.objects.in_world(hall.world_id)) == [two]
    assert set(Memory.objects.of_type("facts")) == {one, three}
    assert set(Memory.objects.of_type(["facts", "goals"])) == set(Memory.objects.of_type("facts", {"goals"}))
    assert set(Memory.objects.of_type(kind for kind in ["facts"])) == {one, three}
    assert list(Memory.objects.with_embedding()) == list(Memory.objects.with_embedding(384)) == [three]
    assert set(Memory.objects.without_embedding(768)) == {one, two, three}
    assert set(agent.memories.without_embedding().of_type("goals")) == {two}


def test_what_has_words_to_embed(store, agent):
    worded = add("tea", agent=agent)
    for content in ({}, {"text": ""}, {"text": " \n"}, {"text": None}):
        add(content, agent=agent)
    assert list(Memory.objects.with_text()) == [worded]


def test_the_clock_of_the_database_tells_what_has_expired(store, agent):
    gone = add(agent=agent, expires_at=timezone.now() - timedelta(seconds=1))
    kept = {add(agent=agent), add(agent=agent, expires_at=timezone.now() + timedelta(hours=1))}
    assert list(Memory.objects.expired()) == [gone]
    assert set(Memory.objects.live()) == kept


def document(agent, fragments=3):
    whole = add("book", agent=agent, type="documents", metadata={"type": "document", "timestamp": 1})
    own = {"type": "fragment", "documentId": str(whole.pk)}
    parts = [
        add(agent=agent, type="fragment", metadata=own | {"position": place}, vector=vector(place))
        for place in (10, 9, 1)[:fragments]
    ]
    return whole, parts


def test_fragments_come_in_the_order_of_their_positions(store, agent):
    whole, parts = document(agent)
    assert list(Memory.objects.fragments_of(whole)) == parts[::-1]
    assert list(Memory.objects.fragments_of(whole.pk)) == parts[::-1]


def test_fragments_are_found_by_their_index(store, agent):
    connection.cursor().execute("SET LOCAL enable_seqscan = off")
    assert "document" in Memory.objects.fragments_of(uuid.uuid4()).explain().split("Index Cond")[1]


def test_a_document_goes_with_its_fragments(store, agent):
    whole, _ = document(agent)
    other, parts = document(agent)
    strange = add(
        agent=Agent.objects.create(name="Alan"),
        metadata={"type": "fragment", "documentId": str(whole.pk), "position": 1},
    )
    deleted, each = Memory.objects.filter(pk=whole.pk).delete_with_fragments()
    assert deleted == 7
    assert each == {"core_tables.Memory": 4, "core_tables.Embedding": 3}
    assert set(Memory.objects.all()) == {other, *parts, strange}


def test_many_are_deleted_in_chunks(store, agent, monkeypatch):
    monkeypatch.setattr("core_tables.querysets.memory_forgetting.CHUNK", 2)
    document(agent)
    for _ in range(4):
        add(agent=agent)
    assert Memory.objects.all().delete_with_fragments()[1]["core_tables.Memory"] == 8
    assert not hasattr(Memory.objects, "delete_with_fragments")


def test_deleting_loads_ids_alone(store, agent):
    whole, _ = document(agent)
    with CaptureQueriesContext(connection) as asked:
        Memory.objects.filter(pk=whole.pk).delete_with_fragments()
    assert not any('"content",' in query["sql"] for query in asked)


def test_what_has_expired_goes_in_batches(store, agent):
    past = timezone.now() - timedelta(seconds=1)
    for _ in range(5):
        add(agent=agent, vector=vector(1), expires_at=past)
    whole, _ = document(agent)
    Memory.objects.filter(pk=whole.pk).update(expires_at=past)
    kept = add(agent=agent)
    assert list(Memory.objects.delete_expired(batch=4)) == [4, 5]
    assert list(Memory.objects.all()) == [kept]
    assert not Embedding.objects.exists()


def test_what_has_expired_goes_asynchronously(committed_store, agent):
    add(agent=agent, expires_at=timezone.now() - timedelta(seconds=1))

    async def run():
        return [deleted async for deleted in Memory.objects.adelete_expired()]

    assert asyncio.run(run()) == [1]


def test_what_others_hold_is_passed_over(committed_store, agent):
    held, _ = (add(agent=agent, expires_at=timezone.now() - timedelta(seconds=1)) for _ in range(2))

    def delete():
        try:
            return list(Memory.objects.delete_expired())
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        Memory.objects.select_for_update().get(pk=held.pk)
        assert pool.submit(delete).result() == [1]
    assert list(Memory.objects.all()) == [held]


def test_a_vector_takes_the_place_of_one_as_wide(store, agent):
    memory = add(agent=agent, vector=vector(1), model="old")
    Memory.objects.put_embedding(memory, vector(2, 768), model="new")
    Memory.objects.put_embedding(memory.pk, vector(3), model="new")
    kept = Embedding.objects.get()
    assert kept.model == "new"
    assert kept.dim_384 == pytest.approx(vector(3), abs=1e-6)
    assert kept.dim_768 == pytest.approx(vector(2, 768), abs=1e-6)
    assert list(Embedding.objects.of_width(768).made_by("new")) == [kept]


def test_a_vector_needs_its_memory(store):
    with pytest.raises(Memory.DoesNotExist):
        Memory.objects.put_embedding(uuid.uuid4(), vector(1))


def test_sixteen_threads_put_one_row(committed_store, agent):
    memory = add(agent=agent)

    def put(number):
        try:
            Memory.objects.put_embedding(memory, vector(number), model=str(number))
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, range(16)))
    kept = Embedding.objects.get()
    assert kept.dim_384 == pytest.approx(vector(int(kept.model)), abs=1e-6)


def test_one_row_without_the_constraint_against_a_second(committed_store, agent):
    """Databases made by others have none."""
    memory = add(agent=agent)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = 'embeddings'::regclass AND contype = 'u'"
        )
        ((name, definition),) = cursor.fetchall()
        cursor.execute(f'ALTER TABLE embeddings DROP CONSTRAINT "{name}"')

    def put(number):
        try:
            Memory.objects.put_embedding(memory, vector(number))
        finally:
            connection.close()

    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(put, range(8)))
        assert Embedding.objects.count() == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE embeddings ADD CONSTRAINT "{name}" {definition}')


def test_new_words_take_the_vectors_of_the_old_ones_away(store, agent):
    memory = add(agent=agent, vector=vector(1), model="mini")
    Memory.objects.update_content(memory, "black tea")
    found = Memory.objects.get()
    assert found.content == {"text": "black tea"}
    assert found.updated_at > memory.updated_at
    assert not hasattr(found, "embedding")  # it said something else
    Memory.objects.update_content(memory, "oolong", metadata={"a": 1}, vector=vector(2), model="mini")
    found = Memory.objects.get()
    assert (found.metadata, found.embedding.model) == ({"a": 1}, "mini")
    assert found.embedding.dim_384 == pytest.approx(vector(2), abs=1e-6)


def test_the_vectors_of_the_same_words_stay(store, agent):
    memory = add(agent=agent, vector=vector(1), model="mini")
    Memory.objects.update_content(memory, memory.content | {"source": "web"})
    assert Memory.objects.get().embedding.model == "mini"
    Memory.objects.update_content(memory, "black tea", vector=vector(1, width=768), model="maxi")
    embedding = Memory.objects.get().embedding
    assert (embedding.dim_384, embedding.model) == (None, "maxi")


def test_only_an_agents_own_memories_are_changed_from_its_side(store, agent):
    other = Agent.objects.create(name="Bob")
    theirs = add(agent=other)
    with pytest.raises(Memory.DoesNotExist):
        agent.memories.put_embedding(theirs, vector(1))
    with pytest.raises(Memory.DoesNotExist):
        agent.memories.update_content(theirs, "mine")


def test_new_content_is_checked_and_needs_its_memory(store, agent):
    with pytest.raises(InvalidContent, match="NUL"):
        Memory.objects.update_content(add(agent=agent), "\0")
    with pytest.raises(InvalidContent, match="split it"):
        Memory.objects.update_content(Memory.objects.get(), " ".join(map(str, range(150_000))))
    with pytest.raises(Memory.DoesNotExist):
        Memory.objects.update_content(uuid.uuid4(), "tea")


def test_a_memory_is_added_asynchronously(committed_store, agent):
    memory = asyncio.run(Memory.objects.aadd("tea", agent=agent, type="facts", vector=vector(1)))
    assert memory.unique
