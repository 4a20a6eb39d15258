"""Long texts are cut where they differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsql.brevity import LONGEST, apart, shorten

LONG = "x" * 300


@pytest.mark.parametrize(
    ("one", "other", "cut"),
    [
        ("a", "b", ("a", "b")),
        ("a\n  b", "c", ("a b", "c")),
        ("'a  b'", "'c'", ("'a  b'", "'c'")),
        ("'a\nb'", "'a b'", ("'a\nb'", "'a b'")),
        (f"a{LONG}", f"b{LONG}", (f"a{'x' * 199}…", f"b{'x' * 199}…")),
        (f"{LONG}a", f"{LONG}b", (f"…{'x' * 40}a", f"…{'x' * 40}b")),
        (LONG, "", (f"{'x' * 200}…", "")),
        (LONG, "x" * 200, ("…" + "x" * 140, "x" * 200)),
    ],
)
def test_apart(one, other, cut):
    assert apart(one, other) == cut


@given(st.text("ab", max_size=9), st.text("ab", max_size=9), st.integers(0, 400))
def test_what_differs_stays_different(one, other, common):
    first, second = apart("x" * common + one, "x" * common + other)
    assert (first == second) is (one == other)
    assert max(len(first), len(second)) <= LONGEST + 2


@pytest.mark.parametrize(("words", "cut"), [("a", "a"), ("x" * 200, "x" * 200), (LONG, "x" * 200 + "…")])
def test_shorten(words, cut):
    assert shorten(words) == cut
