"""Searching by vector: the right memories, as many as were asked for, whichever way the search goes."""

import asyncio
import datetime
import math
import uuid
from enum import Enum

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core_tables.embeddings.widths import checked
from core_tables.exceptions import InvalidContent, InvalidVector, UnknownWidth
from core_tables.models import Agent, Embedding, Memory, Room
from core_tables.search import estimate, route
from core_tables.search.nearest import nearest
from core_tables.search.scope import Scope
from tests.core_tables.vectors import at, clustered, cosine, vector

ANGLES = (10, 40, 20, 80, 60)


@pytest.fixture(autouse=True)
def _no_estimates_of_others():
    estimate._remembered.cache_clear()


def remember(agent, degrees, **fields):
    facts = {"type": "facts", "room": None, "width": 384} | fields
    width = facts.pop("width")
    return Memory.objects.add(f"at {degrees}", agent=agent, vector=at(degrees, width=width), unique=True, **facts)


def texts(found):
    return [memory.content["text"] for memory in found]


@pytest.fixture
def memories(agent):
    return [remember(agent, degrees) for degrees in ANGLES]


@pytest.fixture(params=["exact", "index"])
def way(request, monkeypatch):
    """Both plans, whatever the size of the tables."""
    if request.param == "index":
        monkeypatch.setattr(route, "FEW", -1)
        monkeypatch.setattr(route, "CANDIDATE", 0)
    return request.param


@pytest.mark.usefixtures("memories", "way")
def test_the_nearest_come_first_with_their_similarity():
    found = Memory.objects.search(vector(1), 3)
    assert texts(found) == ["at 10", "at 20", "at 40"]
    assert [one.similarity for one in found] == pytest.approx(
        [math.cos(math.radians(degrees)) for degrees in (10, 20, 40)], abs=1e-6
    )


@pytest.mark.usefixtures("memories", "way")
def test_fewer_come_only_where_fewer_match():
    assert len(Memory.objects.search(vector(1), 50)) == len(ANGLES)
    assert len(Memory.objects.search(vector(1), 4)) == 4


@pytest.mark.usefixtures("memories", "way")
def test_what_is_less_alike_can_be_left_out():
    assert texts(Memory.objects.search(vector(1), min_similarity=0.9)) == ["at 10", "at 20"]
    assert Memory.objects.search(vector(-1), min_similarity=0.0) == []


@pytest.mark.usefixtures("way")
def test_named_filters(agent, room, entity):
    world, other = uuid.uuid4(), Agent.objects.create(name="Bob")
    remember(agent, 1, room=room, type="messages")
    remember(agent, 2, entity=entity, world=world)
    remember(other, 3)

    def found(**within):
        return texts(Memory.objects.search(vector(1), **within))

    assert found(agent=agent) == found(agent=str(agent.pk)) == ["at 1", "at 2"]
    assert found(agent=[agent, other.pk]) == found(agent=Agent.objects.all()) == ["at 1", "at 2", "at 3"]
    assert found(room=room) == found(type="messages") == found(room=room.pk, type=["messages"]) == ["at 1"]
    assert found(entity=entity) == found(world=world) == found(world=str(world)) == ["at 2"]
    assert found(type=("facts", "messages"), agent=other) == ["at 3"]
    assert found(type=[]) == []
    assert found(agent=None, room=None) == ["at 1", "at 2", "at 3"]


@pytest.mark.usefixtures("way")
def test_times_and_uniqueness(agent):
    noon = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
    remember(agent, 1, created_at=noon)
    remember(agent, 2, created_at=noon + datetime.timedelta(hours=1))
    Memory.objects.add("again", agent=agent, type="facts", vector=at(3))
    assert texts(Memory.objects.search(vector(1), since=noon, until=noon + datetime.timedelta(hours=1))) == ["at 1"]
    assert texts(Memory.objects.search(vector(1), unique=True)) == ["at 1", "at 2"]
    assert texts(Memory.objects.search(vector(1), unique=False)) == ["again"]


def test_times_without_a_zone_are_those_of_a_filter(agent, settings):
    settings.TIME_ZONE = "America/New_York"
    noon = datetime.datetime(2026, 3, 1, 12)  # noqa: DTZ001 - that is what is tested
    remember(agent, 1, created_at=timezone.make_aware(noon))
    with pytest.warns(RuntimeWarning, match="naive datetime"):
        assert texts(Memory.objects.search(vector(1), since=noon)) == ["at 1"]
    with pytest.warns(RuntimeWarning, match="naive datetime"):
        assert texts(Memory.objects.search(vector(1), until=noon + datetime.timedelta(hours=1))) == ["at 1"]


@pytest.mark.usefixtures("way")
def test_expired_memories_are_forgotten_unless_asked_for(agent):
    remember(agent, 1, expires_at=timezone.now() - datetime.timedelta(seconds=1))
    remember(agent, 2, expires_at=timezone.now() + datetime.timedelta(days=1))
    assert texts(Memory.objects.search(vector(1))) == ["at 2"]
    assert texts(Memory.objects.search(vector(1), expired=True)) == ["at 1", "at 2"]


@pytest.mark.usefixtures("memories", "way")
def test_ordinary_filters_compose(agent, room):
    remember(agent, 5, room=room)
    assert texts(Memory.objects.filter(room__name="lab").search(vector(1))) == ["at 5"]
    assert texts(room.memories.search(vector(1))) == ["at 5"]
    assert texts(agent.memories.exclude(room=room).filter(content__text__icontains="0").search(vector(1), 2)) == [
        "at 10",
        "at 20",
    ]
    assert texts(Memory.objects.order_by("-created_at")[:2].search(vector(1))) == ["at 5", "at 60"]
    assert Memory.objects.none().search(vector(1)) == []


@pytest.mark.usefixtures("way")
def test_what_the_queryset_loads_is_loaded(agent, room, django_assert_num_queries):
    remember(agent, 5, room=room)
    [found] = Memory.objects.select_related("room").prefetch_related("room__participants").search(vector(1))
    with django_assert_num_queries(0):
        assert found.room.name == "lab"
        assert list(found.room.participants.all()) == []
    [found] = Memory.objects.only("type").search(vector(1))
    assert found.get_deferred_fields() >= {"content", "metadata"}
    assert found.similarity == pytest.approx(math.cos(math.radians(5)), abs=1e-6)


@pytest.mark.usefixtures("memories")
def test_a_memory_is_as_django_loads_it():
    [found] = Memory.objects.search(vector(1), 1)
    loaded = Memory.objects.get(pk=found.pk)
    names = [field.attname for field in Memory._meta.concrete_fields]
    assert {name: getattr(found, name) for name in names} == {name: getattr(loaded, name) for name in names}
    assert (found._state.db, found._state.adding) == ("default", False)
    found.metadata["seen"] = True
    found.save(update_fields=["metadata"])
    assert Memory.objects.get(pk=found.pk).metadata == {"seen": True}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("width", [384, 512, 768, 1024, 1536, 3072])
def test_each_width_is_searched_by_its_own_vectors(agent, width):
    remember(agent, 30, width=width)
    remember(agent, 20, width=width)
    remember(agent, 1, width=384 if width != 384 else 512)
    assert texts(Memory.objects.search(at(0, width=width))) == ["at 20", "at 30"]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("length", [1e-9, 1e6])
def test_the_length_of_a_wide_query_changes_nothing(agent, length):
    for degrees in range(80, 10, -5):
        remember(agent, degrees, width=3072)
    found = Memory.objects.search([length * number for number in at(0, width=3072)], 2)
    assert texts(found) == ["at 15", "at 20"]
    assert found[0].similarity == pytest.approx(math.cos(math.radians(15)), abs=1e-3)


@pytest.mark.parametrize("way", ["index"], indirect=True)
def test_the_index_is_used_where_the_plan_says_so(committed_store, agent, way):
    rows = [Memory(agent=agent, type="facts", content={"text": str(n)}) for n in range(300)]
    Memory.objects.bulk_add(rows, clustered(300))
    told = Memory.objects.explain_search(clustered(1, seed=8)[0], limit=5, agent=agent, against_exact=True)
    assert told.arms[0].plan == "index"
    assert "embeddings_dim_384_hnsw" in str(_plan(told.arms[0].trace))
    assert told.recall == 1.0


def _plan(trace):
    with route.walk("default", trace.estimated, 5):
        return estimate.measured(trace.sql, trace.params, "default")


def test_the_right_ones_are_found_in_every_share_of_the_table(committed_store, agent):
    """Recall against exact search, by arithmetic done here, with filters that pass 100, 10, 1 and 0.1 percent."""
    vectors = clustered(3_000)
    shares = {room: Room.objects.create(agent=agent, source="x", type=room) for room in ("100", "10", "1", "0.1")}
    names = ["0.1" if n < 3 else "1" if n < 33 else "10" if n < 333 else "100" for n in range(3_000)]
    memories = [Memory(agent=agent, room=shares[name], type="facts", content={"n": n}) for n, name in enumerate(names)]
    Memory.objects.bulk_add(memories, vectors)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE memories, embeddings")
    for within, passing in [({}, set(names)), *(({"room": shares[name]}, {name}) for name in ("10", "1", "0.1"))]:
        hits = total = 0
        for query in clustered(12, seed=9):
            scope = [n for n, name in enumerate(names) if name in passing]
            best = sorted(scope, key=lambda n: -cosine(vectors[n], query))[:10]
            found = [memory.content["n"] for memory in Memory.objects.search(query, 10, agent=agent, **within)]
            assert len(found) == len(best)
            hits, total = hits + len(set(found) & set(best)), total + len(best)
        assert hits / total >= 0.99


@pytest.fixture
def far_room(agent, room):
    """A room about something else than the query, in a table that is about the query."""
    near = [at(n / 100) for n in range(600)]
    Memory.objects.bulk_add([Memory(agent=agent, type="facts", content={}) for _ in near], near)
    rows = [Memory(agent=agent, type="facts", content={"n": n}, room=room) for n in range(20)]
    Memory.objects.bulk_add(rows, [at(100 + n) for n in range(20)])
    return room


@pytest.mark.parametrize("way", ["index"], indirect=True)
def test_where_a_walk_finds_too_few_all_rows_are_looked_through(committed_store, far_room, way):
    found = far_room.memories.search(vector(1), 5)
    assert [memory.content["n"] for memory in found] == [0, 1, 2, 3, 4]
    told = Memory.objects.explain_search(vector(1), limit=5, room=far_room)
    assert (told.arms[0].plan, told.arms[0].why) == ("exact", "a walk along the index gave 0 of 100")


@pytest.mark.parametrize("way", ["index"], indirect=True)
def test_where_these_are_very_many_the_walk_goes_on(committed_store, far_room, way, monkeypatch):
    monkeypatch.setattr("core_tables.search.nearest.MANY", 0)
    assert len(far_room.memories.search(vector(1), 5)) == 5
    found, trace = nearest(Scope.of(far_room.memories.all(), {}), checked(vector(1)), 5, "m.id")
    assert (len(found), trace.plan) == (5, "index")
    assert trace.why == "a walk along the index gave 0 of 10, so it went on"


@pytest.mark.parametrize("way", ["index"], indirect=True)
@pytest.mark.parametrize(("times", "plan"), [(1_000, "exact"), (100, "index")])
def test_a_walk_is_not_believed_among_a_great_many_equal_vectors(committed_store, agent, way, times, plan):
    for many in ([at(30)] * times, [at(70 + n) for n in range(15)]):
        Memory.objects.bulk_add([Memory(agent=agent, type="facts", content={}) for _ in many], many)
    told = Memory.objects.explain_search(vector(1), limit=3)
    assert (told.arms[0].plan, "equal vectors" in told.arms[0].why) == (plan, plan == "exact")
    assert len(Memory.objects.search(vector(1), 1)) == 1
    # Beside so many, the index itself leaves one or two rows in a hundred out of reach: that one, or its neighbour.
    assert Memory.objects.search(at(75), 1)[0].similarity > math.cos(math.radians(5))


def test_what_is_exact_uses_no_vector_index_whatever_it_seems_to_cost(agent):
    many = [at(n) for n in range(60)]  # a walk would bring 40, of all memories, for each of these
    Memory.objects.bulk_add([Memory(agent=agent, type="facts", content={}) for _ in many], many)
    connection.cursor().execute("SET LOCAL enable_sort = off")
    assert len(Memory.objects.search(vector(1), 60)) == 60


@pytest.mark.usefixtures("memories")
def test_statements():
    with CaptureQueriesContext(
        connection,
    ) as few:
        Memory.objects.search(vector(1))
    assert [query["sql"].split()[0] for query in few] == ["EXPLAIN", "SELECT"]
    with CaptureQueriesContext(connection) as again:
        Memory.objects.search(at(30))
    assert len(again) == 1  # the estimate is still fresh


@pytest.mark.parametrize("way", ["index"], indirect=True)
def test_statements_along_the_index(committed_store, agent, way):
    near = [at(n) for n in range(20)]
    Memory.objects.bulk_add([Memory(agent=agent, type="facts", content={}) for _ in near], near)
    with CaptureQueriesContext(connection) as many:
        Memory.objects.search(vector(1), 2)
    assert [query["sql"].split()[0] for query in many] == ["EXPLAIN", "BEGIN", "SELECT", "SELECT", "ROLLBACK"]


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        ([1.0, 0.0], UnknownWidth, "2 numbers.*384, 512, 768, 1024, 1536, 3072"),
        ([0.0] * 384, InvalidVector, "all zeros"),
        ([math.nan] + [1.0] * 383, InvalidVector, "no cosine"),
        ("text", InvalidVector, "not str"),
    ],
)
@pytest.mark.usefixtures("store")
def test_vectors_that_cannot_be_searched_by(wanted, error, words):
    with pytest.raises(error, match=words):
        Memory.objects.search(wanted)


def test_questions_that_make_no_sense(agent):
    with pytest.raises(TypeError, match="knows no 'romm'; it knows agent, room, world"):
        Memory.objects.search(vector(1), romm=1)
    with pytest.raises(TypeError, match="before values"):
        Memory.objects.values("id").search(vector(1))
    with pytest.raises(ValueError, match="from 1 to 100,000 memories, not 0"):
        Memory.objects.search(vector(1), 0)
    with pytest.raises(ValidationError, match="not a valid UUID"):
        Memory.objects.search(vector(1), agent="Ada")


@pytest.mark.parametrize(
    ("within", "error"),
    [
        ({"type": 5}, TypeError),
        ({"type": [["facts"]]}, TypeError),
        ({"type": "f\0"}, InvalidContent),
        ({"since": "2026-03-01"}, TypeError),
        ({"unique": "yes"}, TypeError),
        ({"limit": 2**63}, ValueError),
        ({"limit": True}, ValueError),
    ],
)
def test_filters_of_another_kind_are_refused_in_words(agent, within, error):
    with pytest.raises(error):
        Memory.objects.search(vector(1), **within)


class Kind(str, Enum):  # noqa: UP042 - as many projects have them
    FACTS = "facts"


def test_a_search_locks_nothing(memories):
    with pytest.raises(TypeError, match="search first"):
        Memory.objects.select_for_update().search(vector(1))


@pytest.mark.usefixtures("memories", "way")
def test_any_iterable_is_several():
    assert len(Memory.objects.search(vector(1), type=Kind.FACTS)) == len(ANGLES)
    assert len(Memory.objects.search(vector(1), type=(kind for kind in ("facts", "messages")))) == len(ANGLES)
    assert len(Memory.objects.search(vector(1), type={"facts": 1}.keys())) == len(ANGLES)


@pytest.mark.usefixtures("way")
def test_querysets_whose_rows_hang_on_an_order_or_on_each_other(agent):
    rooms = [Room.objects.create(agent=agent, source="x", type="GROUP", name=name) for name in "ab"]
    for degrees, room in ((1, rooms[0]), (2, rooms[0]), (3, rooms[1]), (4, rooms[1])):
        remember(agent, degrees, room=room)
    newest = agent.memories.order_by("room", "-created_at").distinct("room")
    assert texts(newest.search(vector(1))) == ["at 2", "at 4"]
    ranked = agent.memories.annotate(
        n=Window(RowNumber(), partition_by="room", order_by=F("created_at").desc())
    ).filter(n=2)
    assert texts(ranked.search(vector(1))) == ["at 1", "at 3"]
    assert sorted(texts(ranked.search_hybrid(vector(1), "at"))) == ["at 1", "at 3"]
    both = Memory.objects.filter(room=rooms[0]).union(Memory.objects.filter(room=rooms[1]))
    assert len(both.search(vector(1))) == len(both.search_text("at")) == len(both.search_hybrid(vector(1), "at")) == 4


@pytest.mark.usefixtures("way")
def test_a_memory_with_two_rows_of_vectors_is_found_once_by_the_nearer(agent, memories):
    """As in a database that others made, without the unique constraint."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT conname FROM pg_constraint WHERE conrelid = 'embeddings'::regclass AND contype = 'u'")
        cursor.execute(f'ALTER TABLE embeddings DROP CONSTRAINT "{cursor.fetchone()[0]}"')
    Embedding.objects.create(memory=memories[0], agent=agent, dim_384=at(70))
    Embedding.objects.create(memory=memories[1], agent=agent, dim_384=at(5))
    found = Memory.objects.search(vector(1), 3)
    assert texts(found) == ["at 40", "at 10", "at 20"]
    assert found[0].similarity == pytest.approx(math.cos(math.radians(5)), abs=1e-6)
    assert len(Memory.objects.similar_to(memories[0], 4)) == 4


def test_similar_memories(agent, memories):
    first = memories[0]
    assert texts(Memory.objects.similar_to(first, 2)) == ["at 20", "at 40"]
    assert texts(Memory.objects.similar_to(first.pk, min_similarity=0.95)) == ["at 20"]
    assert Memory.objects.similar_to(first, width=512) == []
    assert Memory.objects.similar_to(Memory.objects.add("no vector", agent=agent, type="facts")) == []
    assert Memory.objects.similar_to(uuid.uuid4()) == []


@pytest.mark.usefixtures("memories")
def test_asynchronously():
    # The transaction that the test is in belongs to this thread, so that is where the loop sends the question.
    from asgiref.sync import async_to_sync

    assert texts(async_to_sync(Memory.objects.all().asearch)(vector(1), 1)) == ["at 10"]
    assert asyncio.iscoroutinefunction(Memory.objects.all().asimilar_to)
