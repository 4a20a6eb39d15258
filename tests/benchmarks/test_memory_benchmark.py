"""The benchmark's own arithmetic: a wrong truth, or stores that do not do the same work, would show as good figures."""

import xml.etree.ElementTree

import pytest

numpy = pytest.importorskip("numpy")

from benchmarks.memory import corpus, picture, race, stores  # noqa: E402 they need numpy


@pytest.fixture(scope="module")
def memories():
    return corpus.generate(4_000)


@pytest.mark.parametrize(("name", "share"), [("100%", 1.0), ("10%", 0.1), ("1%", 0.01), ("0.1%", 0.001)])
def test_rooms_hold_their_share(memories, name, share):
    scope = next(scope for scope in corpus.USUAL if scope.name == name)
    assert len(memories.places(scope)) == share * len(memories)


def test_rooms_by_topic_hold_about_their_share(memories):
    for scope, share in zip(corpus.TOPICAL[::2], (0.1, 0.01, 0.001), strict=True):
        assert 0.4 * share < len(memories.places(scope)) / len(memories) < 2.5 * share


def test_the_truth_is_what_looking_at_each_finds(memories):
    scope = corpus.RANDOM[0]
    inside = [(memories.vectors[place], str(memories.ids[place])) for place in memories.places(scope)]
    for query in corpus.queries(memories, scope, 5):
        best = sorted(inside, key=lambda one: -float(one[0] @ query.vector))[: corpus.LIMIT]
        assert query.nearest == {name for _, name in best}


def test_far_queries_come_from_topics_that_the_room_does_not_hold(memories):
    near, far = corpus.TOPICAL[:2]
    centre = memories.vectors[memories.places(near)]
    alike = {
        scope: numpy.mean([(centre @ query.vector).max() for query in _asked(memories, scope)]) for scope in (near, far)
    }
    assert alike[far] < 0.5 < alike[near]


def test_parts_are_the_same_memories_as_the_whole(memories):
    parts = list(memories.parts(1_500))
    assert [row for part in parts for row in part.ids] == memories.ids
    assert [text for part in parts for text in part.texts] == memories.texts


def test_stores_are_judged_by_what_they_return(memories):
    scope = corpus.RANDOM[1]
    queries = _asked(memories, scope)
    right = stores.Store(name="right", add=_nothing, search=lambda query, _: sorted(query.nearest))
    half = stores.Store(name="half", add=_nothing, search=lambda query, _: sorted(query.nearest)[:5])
    found = race.ask([right, half], queries, scope)
    assert (found["right"].recall, found["right"].rows) == (1.0, corpus.LIMIT)
    assert (found["half"].recall, found["half"].rows) == (0.5, 5)
    assert len(found["half"].seconds) == len(queries)


def test_a_store_is_given_every_memory_once(memories):
    given = []
    race.fill([stores.Store(name="one", add=lambda part: given.extend(part.ids), search=_nothing)], memories)
    assert given == memories.ids


def test_the_picture_is_xml_and_says_all_its_figures():
    found = race.Found([0.001] * 9 + [0.5], [1.0], [10])
    points = [
        picture.Point(size, 1234.0 / size, dict.fromkeys(picture.SHOWN, found)) for size in (10, 1_000, 1_000_000)
    ]
    svg = picture.draw(points)
    assert xml.etree.ElementTree.fromstring(svg).tag.endswith("svg")
    assert svg.count(">1.0 (") == len(picture.SHOWN) * len(points)
    assert ">123<" in svg


def _asked(memories, scope):
    return corpus.queries(memories, scope, 20)


def _nothing(*_):
    return []
