"""What another program may write is read as the nearest that Python knows, and left as it is."""

import datetime

import pytest
from django.db import DataError, connection
from django.db.models import F, Max, OuterRef, Subquery

from core_tables.fields import DeepJSON, texts
from core_tables.models import Agent, Entity, Log, Memory, Task

DEEP = "[" * 12_000 + "]" * 12_000
pytestmark = pytest.mark.usefixtures("store")


def sql(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else None


@pytest.fixture
def memory(agent):
    return Memory.objects.create(agent=agent, type="facts", content={"text": "Tea."})


@pytest.mark.parametrize(
    ("value", "year"), [("infinity", 9999), ("-infinity", 1), ("0044-03-15 BC", 1), ("20000-01-01", 9999)]
)
def test_times_beyond_those_of_python(memory, value, year):
    sql("UPDATE memories SET created_at = %s, expires_at = %s", value, value)
    memory.refresh_from_db()
    assert (memory.created_at.year, memory.expires_at.year) == (year, year)
    assert Memory.objects.values_list("expires_at", flat=True).get() == memory.expires_at
    assert sql("SELECT expires_at::text FROM memories") == sql("SELECT %s::timestamptz::text", value)


def test_a_time_is_what_it_was_and_none_is_none(memory):
    moment = datetime.datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=datetime.UTC)
    Memory.objects.update(created_at=moment)
    memory.refresh_from_db()
    assert (memory.created_at, memory.expires_at) == (moment, None)
    assert Memory.objects.aggregate(last=Max("created_at"), end=Max("expires_at")) == {"last": moment, "end": None}


def test_the_last_of_many_times(memory):
    sql("UPDATE memories SET expires_at = 'infinity'")
    assert Memory.objects.aggregate(end=Max("expires_at"))["end"].year == 9999


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("ordering", ["-created_at", F("created_at").desc(), F("created_at")])
def test_lists_of_ordered_times_go_along_their_index(ordering):
    sql("SET LOCAL enable_sort = off")
    times = Memory.objects.order_by(ordering)[:1]
    for selected in (times.values("created_at"), times.values_list("id", F("created_at")), times):
        assert "memories_created_idx" in selected.explain()


def test_a_time_under_a_name_of_its_own_is_read_and_ordered_by(memory):
    sql("UPDATE memories SET created_at = 'infinity'")
    assert Memory.objects.order_by("-created_at").values_list("id", F("created_at"))[0][1].year == 9999
    with pytest.raises(DataError):
        Memory.objects.order_by("-created_at").values_list("created_at")[0]


def test_a_time_out_of_a_subquery(memory):
    sql("UPDATE memories SET created_at = 'infinity'")
    newest = Memory.objects.filter(agent=OuterRef("pk")).order_by("-created_at").values("created_at")[:1]
    assert Agent.objects.annotate(last=Subquery(newest)).get().last.year == 9999


def test_what_never_expires_is_live(memory):
    sql("UPDATE memories SET expires_at = 'infinity'")
    assert list(Memory.objects.live()) == [memory]


def test_spans_beyond_those_of_python(agent):
    task = Task.objects.schedule("fast", agent=agent, every=datetime.timedelta(hours=1))
    sql("UPDATE tasks SET every = interval '10000000 years', run_at = 'infinity'")
    task.refresh_from_db()
    assert task.every > datetime.timedelta(days=365)
    assert task.run_at.year == 9999


def test_deep_json_is_its_text_and_survives_being_saved(memory):
    sql("UPDATE memories SET metadata = %s::jsonb", DEEP)
    memory.refresh_from_db()
    assert isinstance(memory.metadata, DeepJSON)
    memory.content = {"text": "Coffee."}
    memory.save()
    assert sql("SELECT metadata = %s::jsonb, content->>'text' FROM memories", DEEP) == [(True, "Coffee.")]


def test_one_deep_row_stops_no_list(agent, room, entity):
    for number in range(3):
        Log.objects.write("action", {"n": number}, agent=agent, room=room, entity=entity)
    sql("UPDATE logs SET body = %s::jsonb WHERE body->>'n' = '1'", DEEP)
    assert len(list(Log.objects.all())) == 3


@pytest.mark.parametrize(
    ("names", "called"),
    [
        ("{NULL}", None),
        ("{NULL, Grace}", "Grace"),
        ("{{Grace, G.}, {Alan, A.}}", "Grace"),
        ('{""}', None),
        ("{Alan, NULL}", "Alan"),
    ],
)
def test_names_of_any_shape(entity, names, called):
    sql("UPDATE entities SET names = %s::text[] WHERE id = %s", names, entity.pk)
    assert str(Entity.objects.get(pk=entity.pk)) == (called or str(entity.pk))


def test_texts():
    assert list(texts(["a", None, ["b", [None, "c"]], "", 4])) == ["a", "b", "c"]
    assert list(texts(None)) == []
