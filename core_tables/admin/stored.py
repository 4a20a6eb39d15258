"""JSON as lists show it: the beginning of its text, but nothing of what the server would have to unpack for long."""

from typing import Any

from django.db.models import Case, F, Func, IntegerField, TextField, Value, When
from django.db.models.functions import Cast, Left
from django.db.models.lookups import LessThanOrEqual

LARGE = 100_000  # bytes as they are stored, which is mostly compressed
BEGINNING = 400  # characters
LARGE_TEXT = "(large)"


class StoredSize(Func):
    """How many bytes a value takes in its table, which the server knows without reading the value."""

    function = "pg_column_size"
    output_field = IntegerField()


def unless_large(column: str, expression: Any, otherwise: Any, output_field: Any) -> Case:
    """Return an expression that is worked out where the column is not large."""
    is_small = LessThanOrEqual(StoredSize(column), LARGE)
    return Case(When(is_small, then=expression), default=Value(otherwise), output_field=output_field)


def beginning(column: str, length: int = BEGINNING) -> Left:
    """Return the beginning of a JSON column's text, however large it is."""
    return Left(Cast(F(column), TextField()), length)


def beginning_unless_large(column: str) -> Case:
    """Return the beginning of a JSON column's text, for a list."""
    return unless_large(column, beginning(column), LARGE_TEXT, TextField())
