from itertools import combinations
from math import hypot

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_tables.admin.entities.graph import SIZE, drawing

graphs = st.integers(1, 12).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(1, 2), min_size=size, max_size=size),
        st.lists(st.tuples(st.integers(0, size), st.integers(0, size)), max_size=20),
    )
)


def drawn(rings, pairs):
    steps = {0: 0} | dict(enumerate(rings, start=1))
    return drawing(steps, pairs, {key: f"name {key}" for key in steps}, {})


@given(graphs)
def test_nodes_lie_apart_and_within_the_drawing(graph):
    nodes = drawn(*graph).nodes
    assert len(nodes) == len(graph[0]) + 1
    for one, other in combinations(nodes, 2):
        assert hypot(one.x - other.x, one.y - other.y) > 20
    assert all(0 < node.x < SIZE and 0 < node.y < SIZE for node in nodes)
    assert all(-90 <= node.turn <= 90 or 270 <= node.turn <= 360 for node in nodes)


@given(graphs)
def test_the_order_of_what_comes_in_does_not_matter(graph):
    rings, pairs = graph
    assert drawn(rings, pairs) == drawn(rings, pairs[::-1])


def test_forty_nodes_on_a_ring_still_lie_apart():
    nodes = drawn([2] * 40, []).nodes
    assert min(hypot(one.x - other.x, one.y - other.y) for one, other in combinations(nodes, 2)) > 15


def test_a_line_ends_before_its_nodes_and_one_to_itself_is_left_out():
    found = drawn([1], [(0, 1), (0, 1), (0, 0)])
    (line,) = found.edges
    middle, other = found.nodes
    assert hypot(line.x2 - other.x, line.y2 - other.y) == pytest.approx(10, abs=0.2)
    assert hypot(line.x1 - middle.x, line.y1 - middle.y) == pytest.approx(10, abs=0.2)


def test_long_names_are_cut_in_the_drawing_only():
    (node,) = drawing({0: 0}, [], {0: "n" * 50}, {}).nodes
    assert len(node.label) == 18
    assert node.name == "n" * 50
