"""Searching by words, and by words and vector at once."""

import datetime

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core_tables.models import Agent, Memory
from core_tables.search.fusion import Terms
from tests.core_tables.vectors import at, vector

pytestmark = pytest.mark.usefixtures("store")
TEXTS = {
    "kettle": "The kettle in the lab is green",
    "dog": "Grace has a dog called Turing",
    "tea": "Grace drinks green tea, no milk",
    "mail": "Mail about grant 4711 goes to ada@example.org",
}


@pytest.fixture
def memories(agent):
    return {
        name: Memory.objects.add(text, agent=agent, type="facts", vector=at(10 * place), unique=True)
        for place, (name, text) in enumerate(TEXTS.items(), start=1)
    }


def names(found):
    text_names = {text: name for name, text in TEXTS.items()}
    return [text_names[memory.content["text"]] for memory in found]


@pytest.mark.usefixtures("memories")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("green", {"kettle", "tea"}),
        ("GREEN grace", {"tea"}),
        ("dog or milk", {"dog", "tea"}),
        ("green -tea", {"kettle"}),
        ('"green tea"', {"tea"}),
        ('"tea green"', set()),
        ("4711", {"mail"}),
        ("ada@example.org", {"mail"}),
        ("unicorn", set()),
        ("", set()),
        ("-", set()),
        ("it's \\ 'quoted' & | ! <-> :* (", set()),
        ("green\x00", {"kettle", "tea"}),
    ],
)
def test_words_as_in_a_search_engine(query, found):
    assert set(names(Memory.objects.search_text(query))) == found


QUERIES = st.text(st.sampled_from("-\"'|&!<>:*() \\\0\ud800aé") | st.characters(), max_size=80) | st.integers(
    1, 400
).map(lambda n: "-" * n + "green")


@given(QUERIES, st.sampled_from(["web", "any"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_people_type_is_a_query(store, query, match):
    assert isinstance(Memory.objects.search_text(query, match=match), list)


@pytest.mark.parametrize("match", ["web", "any"])
def test_a_long_paste_is_cut(agent, match):
    Memory.objects.add("word7 is here", agent=agent, type="facts")
    assert len(Memory.objects.search_text(" or ".join(f"word{n}" for n in range(50_000)), match=match)) == 1


@pytest.mark.usefixtures("memories")
def test_any_word_will_do_when_asked():
    assert set(names(Memory.objects.search_text("Which dog drinks tea?", match="any"))) == {"dog", "tea"}
    assert Memory.objects.search_text("?!", match="any") == []
    with pytest.raises(ValueError, match="'some' is not a valid Match"):
        Memory.objects.search_text("tea", match="some")


@pytest.mark.usefixtures("memories")
def test_the_better_match_comes_first(agent):
    Memory.objects.add("green green green", agent=agent, type="facts")
    found = Memory.objects.search_text("green", 2)
    assert found[0].content["text"] == "green green green"
    assert found[0].rank > found[1].rank > 0


def test_common_words_don_t_count_beside_rarer_ones(agent):
    rows = [Memory(agent=agent, type="facts", content={"text": f"the word number{n} of the list"}) for n in range(200)]
    Memory.objects.bulk_add(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE memories")
    assert [one.content["text"] for one in Memory.objects.search_text("what is the number17", match="any")] == [
        "the word number17 of the list"
    ]
    assert len(Memory.objects.search_text("the word", match="any")) == 10  # there is nothing rarer


def test_what_others_often_say_is_not_common_here(agent):
    other = Agent.objects.create(name="Bob")
    rows = [Memory(agent=other, type="facts", content={"text": f"Bob likes tea {n}"}) for n in range(600)]
    Memory.objects.bulk_add(rows)
    rows = [Memory(agent=agent, type="facts", content={"text": f"the word {n}"}) for n in range(400)]
    Memory.objects.bulk_add(rows)
    Memory.objects.add("Ada likes tea", agent=agent, type="facts")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE memories")
    for query in ("green tea", "who drinks the tea", "word17 or tea"):
        found = agent.memories.search_text(query, match="any")
        assert [one.content["text"] for one in found] == ["Ada likes tea"]
    assert len(other.memories.search_text("who drinks tea", match="any")) == 10  # there is nothing but the tea
    told = other.memories.explain_search(query="who drinks tea", limit=5)
    assert told.arms[0].words == "'drinks' | 'tea' | 'who'"


@pytest.mark.usefixtures("memories")
def test_filters_hold_for_words_too(agent, room):
    Memory.objects.add("green room", agent=agent, type="facts", room=room)
    old = timezone.now() - datetime.timedelta(days=1)
    Memory.objects.add("green and gone", agent=agent, type="facts", room=room, expires_at=old)
    assert [one.content["text"] for one in Memory.objects.search_text("green", room=room)] == ["green room"]
    assert [one.content["text"] for one in room.memories.search_text("green")] == ["green room"]


def test_ranking_a_word_that_is_everywhere_is_bounded(agent, monkeypatch):
    monkeypatch.setattr("core_tables.search.matching.RANKED", 20)
    rows = [Memory(agent=agent, type="facts", content={"text": f"word {n}"}) for n in range(100)]
    Memory.objects.bulk_add(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE memories")
    told = Memory.objects.explain_search(query="word", limit=5)
    assert (told.considered["text"], len(told.arms[0].hits)) == (50, 50)
    assert "only 50 of those that match are ranked" in str(told)


def test_both_arms_together(memories):
    found = Memory.objects.search_hybrid(vector(1), "green tea", 3)
    assert names(found)[0] == "kettle"  # first by vector, second by words
    assert found[0].ranks == {"vector": 1, "text": 2}
    assert found[0].score == pytest.approx(1 / 61 + 1 / 62)
    assert found[0].similarity == pytest.approx(0.9848, abs=1e-4)
    assert names(Memory.objects.search_hybrid(vector(1), "green tea", 1, weights=(0.1, 1.0))) == ["tea"]


def test_what_only_words_find_has_no_similarity(agent):
    Memory.objects.add("no vector here", agent=agent, type="facts")
    [found] = Memory.objects.search_hybrid(vector(1), "vector")
    assert (found.similarity, found.ranks) == (None, {"text": 1})


def test_recency_and_importance_change_the_order(memories):
    Memory.objects.filter(pk=memories["kettle"].pk).update(created_at=timezone.now() - datetime.timedelta(days=365))
    assert names(Memory.objects.search_hybrid(vector(1), "", 1)) == ["kettle"]
    assert names(Memory.objects.search_hybrid(vector(1), "", 1, recency=1.0)) == ["dog"]
    Memory.objects.filter(pk=memories["mail"].pk).update(metadata={"importance": 10})
    assert names(Memory.objects.search_hybrid(vector(1), "", 1, importance=1.0)) == ["mail"]


@pytest.mark.parametrize(
    "terms", [{"k": -1}, {"recency": float("nan")}, {"half_life": datetime.timedelta(0)}, {"importance": float("inf")}]
)
def test_terms_that_make_no_order(terms):
    with pytest.raises(ValueError, match=r"finite|longer than nothing"):
        Memory.objects.search_hybrid(vector(1), "tea", **terms)


@pytest.mark.parametrize("rating", ['"high"', "null", "[]", "-3", "1e400", "true"])
def test_ratings_that_others_wrote(memories, rating):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE memories SET metadata = jsonb_build_object('importance', %s::jsonb)", [rating])
    assert len(Memory.objects.search_hybrid(vector(1), "green", importance=1.0)) == 4


def test_an_explanation_tells_plans_ranks_and_rows(memories):
    told = Memory.objects.explain_search(vector(1), "green tea", 2, terms=Terms(k=10), against_exact=True)
    assert [(arm.name, arm.plan, len(arm.hits)) for arm in told.arms] == [("vector", "exact", 4), ("text", "text", 2)]
    assert told.considered == {"vector": 4, "text": 2}
    assert told.recall == 1.0
    assert told.order[0].id == memories["kettle"].pk
    lines = str(told).splitlines()
    assert lines[0].startswith("vector: exact (few rows in scope), about ")
    assert lines[1].startswith("text: text (words that count: 'green' | 'tea'), about ")
    assert lines[2] == "recall against exact: 1.00"
    assert lines[3].split() == [
        "1.",
        "0.17424",
        str(memories["kettle"].pk),
        "vector",
        "1",
        "(0.985),",
        "text",
        "2",
        "(0.010)",
    ]


def test_an_explanation_of_nothing_is_empty():
    told = Memory.objects.explain_search(vector(1), "-", 2)
    assert [(arm.name, arm.hits) for arm in told.arms] == [("vector", ()), ("text", ())]
    assert told.considered == {"vector": 0, "text": 0}
    assert "no word in the query" in str(told)
