import datetime
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_tables.search.fusion import Hit, Terms, fuse

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
WEIGHTS = {"vector": 1.0, "text": 1.0}
A, B, C = (uuid.UUID(int=number) for number in (1, 2, 3))


def hit(key, *, age=DAY, importance=0.0):
    return Hit(id=key, created_at=NOW - age, importance=importance, value=0.5)


def scores(arms, terms=Terms(), weights=WEIGHTS):  # noqa: B008 - frozen
    return {one.id: one.score for one in fuse(arms, weights, terms, NOW)}


def test_a_score_is_the_sum_of_reciprocal_ranks():
    found = scores({"vector": [hit(A), hit(B)], "text": [hit(B), hit(C)]})
    assert found == pytest.approx({A: 1 / 61, B: 1 / 62 + 1 / 61, C: 1 / 62})
    assert list(found) == [B, A, C]


def test_weights_and_k():
    found = scores({"vector": [hit(A)], "text": [hit(B)]}, Terms(k=9), {"vector": 0.2, "text": 3.0})
    assert found == pytest.approx({A: 0.02, B: 0.3})


def test_recency_halves_with_each_half_life():
    terms = Terms(recency=1.0, half_life=2 * DAY)
    found = scores({"vector": [hit(A, age=0 * DAY), hit(B, age=2 * DAY), hit(C, age=4 * DAY)]}, terms)
    extra = [found[key] - 1 / (60 + rank) for rank, key in enumerate((A, B, C), start=1)]
    assert extra == pytest.approx([1 / 61, 0.5 / 61, 0.25 / 61])


def test_a_memory_of_the_future_is_no_younger_than_new():
    terms = Terms(recency=1.0)
    assert scores({"text": [hit(A, age=-DAY)]}, terms) == scores({"text": [hit(A, age=0 * DAY)]}, terms)


def test_importance_of_ten_is_worth_a_first_place():
    found = scores({"vector": [hit(A), hit(B, importance=10.0)]}, Terms(importance=1.0))
    assert found == pytest.approx({A: 1 / 61, B: 1 / 62 + 1 / 61})


def test_ranks_and_values_are_told():
    [first, second] = fuse({"vector": [hit(A), hit(B)], "text": [hit(B)]}, WEIGHTS, Terms(), NOW)
    assert (first.id, first.ranks, first.values) == (B, {"vector": 2, "text": 1}, {"vector": 0.5, "text": 0.5})
    assert second.ranks == {"vector": 1}


@given(st.permutations(range(8)), st.permutations(range(8)))
def test_nothing_is_lost_and_the_order_is_the_scores(first, second):
    arms = {"vector": [hit(uuid.UUID(int=n)) for n in first[:5]], "text": [hit(uuid.UUID(int=n)) for n in second[:5]]}
    order = fuse(arms, WEIGHTS, Terms(), NOW)
    assert {one.id for one in order} == {one.id for found in arms.values() for one in found}
    assert [one.score for one in order] == sorted((one.score for one in order), reverse=True)
    assert order == fuse(dict(reversed(arms.items())), WEIGHTS, Terms(), NOW)
