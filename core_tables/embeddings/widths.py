"""Which column takes a vector, and whether a vector may go there."""

from functools import cache
from math import hypot, inf
from typing import Any

from django.apps import apps
from pgvector import Vector
from pgvector.django import VectorField

from core_tables.exceptions import InvalidVector, UnknownWidth

# PostgreSQL adds the squares up in single precision: outside of these they become zero or infinity.
SHORTEST, LONGEST = 1e-18, 1e19
# Wider ones are in their indexes, and compared in a search, in half precision. It goes as far as the one, and has few
# digits below the other: a vector of nothing more is not in its index, or in another direction.
WIDEST_SINGLE, LARGEST_HALF, SMALLEST_HALF = 2_000, 65_504, 6e-5


@cache
def _columns() -> dict[int, VectorField]:
    fields = apps.get_model("core_tables", "Embedding")._meta.concrete_fields
    return {field.dimensions: field for field in fields if isinstance(field, VectorField) and field.dimensions}


def widths() -> tuple[int, ...]:
    """Return the widths that embeddings have a column for, the smallest first."""
    return tuple(sorted(_columns()))


def column_for(width: int) -> VectorField:
    """Return the field of Embedding that holds vectors of this width.

    Raises:
        UnknownWidth: there is none.
    """
    try:
        return _columns()[width]
    except KeyError:
        known = ", ".join(map(str, widths()))
        raise UnknownWidth(f"No column takes a vector of {width} numbers: embeddings are {known} wide.") from None


def checked(vector: Any) -> Vector:
    """Return the vector in the form that every column takes: with the numbers that were given.

    Args:
        vector: a list or tuple of numbers, an array of numpy or torch with one dimension, or a pgvector Vector.

    Raises:
        UnknownWidth: no column is as wide as this.
        InvalidVector: it holds something other than numbers, has no cosine, or has none any more in half precision.
    """
    numbers = _numbers(vector)
    _length(numbers)
    _check_half(numbers)
    return vector if isinstance(vector, Vector) else Vector(numbers)


def asked(vector: Any) -> Vector:
    """Return the vector in the form that it can be searched by: a wide one at length 1, which changes no cosine.

    Args:
        vector: as for `checked()`.

    Raises:
        UnknownWidth: no column is as wide as this.
        InvalidVector: it holds something other than numbers, or has no cosine.
    """
    numbers = _numbers(vector)
    length = _length(numbers)
    if len(numbers) > WIDEST_SINGLE:
        return Vector([number / length for number in numbers])
    return vector if isinstance(vector, Vector) else Vector(numbers)


def _length(numbers: list[Any]) -> float:
    column_for(len(numbers))
    try:
        length = hypot(*numbers)
    except TypeError:
        raise InvalidVector("A vector holds numbers, in one dimension: this one holds something else.") from None
    except OverflowError:  # an integer that no float holds
        length = inf
    if SHORTEST < length < LONGEST:
        return length
    raise InvalidVector(
        f"A vector whose length is {length:g} has no cosine: it is all zeros, holds NaN or infinity, or is out of the "
        "range of single precision."
    )


def _check_half(numbers: list[Any]) -> None:
    if len(numbers) <= WIDEST_SINGLE:
        return
    largest = max(map(abs, numbers))
    if not SMALLEST_HALF <= largest <= LARGEST_HALF:
        raise InvalidVector(
            f"The largest number in a vector of {len(numbers)} numbers is {largest:g}, and has to be from "
            f"{SMALLEST_HALF:g} to {LARGEST_HALF:,} in one so wide: divide it by its length, which changes no cosine."
        )


def _numbers(vector: Any) -> list[Any]:
    if isinstance(vector, Vector):
        return vector.to_list()
    if isinstance(vector, list | tuple):
        return list(vector)
    if hasattr(vector, "tolist"):
        numbers = vector.tolist()
        if isinstance(numbers, list):
            return numbers
    raise InvalidVector(f"A vector is a list, a tuple or an array of numbers, not {type(vector).__name__}.")
