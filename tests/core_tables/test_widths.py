from array import array

import pytest
from pgvector import Vector

from core_tables.embeddings.widths import asked, checked, column_for, widths
from core_tables.exceptions import InvalidVector, UnknownWidth


def test_the_widths_are_those_of_the_columns():
    assert widths() == (384, 512, 768, 1024, 1536, 3072)
    assert [column_for(width).name for width in widths()][0::5] == ["dim_384", "dim_3072"]


def test_an_unknown_width_is_told_with_the_known_ones():
    with pytest.raises(UnknownWidth, match="385 numbers: embeddings are 384, 512"):
        checked([1.0] * 385)


class Tensor:
    """What numpy's and torch's arrays are to us."""

    def __init__(self, numbers):
        self.numbers = numbers

    def tolist(self):
        return self.numbers


@pytest.mark.parametrize("form", [list, tuple, Vector, lambda numbers: array("d", numbers), Tensor])
def test_a_vector_comes_in_many_forms(form):
    numbers = [0.5, -0.25] * 192
    assert checked(form(numbers)).to_list() == numbers


@pytest.mark.parametrize(
    "numbers",
    [
        [0.0] * 384,
        [float("nan")] + [1.0] * 383,
        [float("inf")] + [1.0] * 383,
        [1e300] + [1.0] * 383,
        [10**400] + [1.0] * 383,
        [1e-30] * 384,
    ],
    ids=["zeros", "NaN", "infinity", "too large", "past any float", "too small"],
)
def test_a_vector_needs_a_cosine(numbers):
    with pytest.raises(InvalidVector, match="no cosine"):
        checked(numbers)


def test_a_wide_vector_has_to_fit_half_precision():
    assert checked([65_504.0] * 3072)
    assert checked([-100_000.0] * 1536)
    with pytest.raises(InvalidVector, match="3072 numbers is 100000, and has to be from 6e-05 to 65,504"):
        checked([1.0] * 3071 + [-100_000.0])


def test_a_wide_vector_has_to_show_in_half_precision():
    assert checked([1e-9] * 1536)
    assert checked([0.0] * 3071 + [6e-5])
    with pytest.raises(InvalidVector, match=r"3072 numbers is 1e-09.*divide it by its length"):
        checked([1e-9] * 3072)


@pytest.mark.parametrize("size", [1e-12, 1, 1e12])
def test_a_wide_query_is_asked_at_length_1(size):
    assert asked([size] + [0.0] * 3071).to_list() == [1.0] + [0.0] * 3071
    assert asked([size] + [0.0] * 383).to_list()[0] == pytest.approx(size)


@pytest.mark.parametrize("numbers", [["a"] * 384, [None] * 384, [[1.0]] * 384, "a" * 384, {}, 5, Tensor(5)])
def test_a_vector_holds_numbers(numbers):
    with pytest.raises(InvalidVector, match="numbers"):
        checked(numbers)
