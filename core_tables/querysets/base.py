"""What all the querysets share: order by time, spans of time, and pages that a key leads to."""

import datetime
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Self, TypeVar
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from core_tables.twins import twin

M = TypeVar("M", bound=models.Model)
M_co = TypeVar("M_co", bound=models.Model, covariant=True)

# A day within what `core_tables.fields` reads, whatever the time zone.
FIRST, LAST = datetime.datetime(1, 1, 4), datetime.datetime(9999, 12, 28)  # noqa: DTZ001 - of any zone
MOST_ROWS = 2**31 - 1  # more than anybody has, and PostgreSQL takes it as a LIMIT


def key_of(row: Any) -> Any:
    """Return the id of a row, or what is one already, also as text: it can be compared with those that rows have."""
    key = getattr(row, "pk", row)
    if isinstance(key, str):
        # What is no UUID is refused by the column that it is meant for.
        with suppress(ValueError):
            return UUID(key)
    return key


def texts_of(values: Iterable[str], what: str) -> list[str]:
    """Return texts, each once, in their order.

    Raises:
        TypeError: a text stands alone, which would be taken apart, or something is no text.
    """
    if isinstance(values, str | bytes):
        raise TypeError(f"{what} are {values!r}: put a text that stands alone into a list.")
    found = list(values)
    for value in found:
        if not isinstance(value, str):
            raise TypeError(f"{what} have {value!r} among them: give texts.")
    return list(dict.fromkeys(found))


def at_least_one(number: int, what: str) -> int:
    """Return a number of rows, as PostgreSQL takes it.

    Raises:
        TypeError: it is no whole number.
        ValueError: it is less than 1.
    """
    try:
        found = operator.index(number)
    except TypeError:
        raise TypeError(f"{what} is {number!r}: give a whole number of at least 1.") from None
    if found < 1:
        raise ValueError(f"{what} is {number}: give a whole number of at least 1.")
    return min(found, MOST_ROWS)


def with_keys(rows: "models.QuerySet[M]", keys: Iterable[UUID]) -> "models.QuerySet[M]":
    """Return the rows with these keys, which are one parameter however many they are."""
    return rows.filter(pk__in=RawSQL("SELECT unnest(%s::uuid[])", [list(keys)]))


def lockable(rows: "models.QuerySet[M]") -> "models.QuerySet[M]":
    """Return the same rows in a form that PostgreSQL locks, as what is distinct, grouped or in windows is not.

    These come in no order.
    """
    windows = any(getattr(each, "contains_over_clause", False) for each in rows.query.annotations.values())
    if not windows and not rows.query.distinct and rows.query.group_by is None:
        return rows
    return rows.model._base_manager.using(rows.db).filter(pk__in=rows.order_by().values("pk"))


def with_ids(model: type[models.Model], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a new row, where ids may stand for the rows that it points to."""
    names = {key.name: key.attname for key in model._meta.concrete_fields if key.is_relation}
    return {
        names.get(name, name) if not isinstance(value, models.Model) else name: value for name, value in fields.items()
    }


def rows_of(name: str) -> "models.QuerySet[Any]":
    """Return all rows of a core table, by its model's name: for subqueries, as models import querysets."""
    rows: models.QuerySet[Any] = apps.get_model("core_tables", name)._base_manager.all()
    return rows


class Cursor(NamedTuple):
    """Where a page begins or ends: the time and the id of a row, which need not exist any longer."""

    created_at: datetime.datetime
    id: UUID

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return the place of a row of any core table."""
        return cls(row.created_at, row.pk)

    @property
    def is_first(self) -> bool:
        """Whether it stands for all times before those that Python knows: among them the ids tell what is older."""
        return self.created_at.replace(tzinfo=None) < FIRST

    @property
    def is_last(self) -> bool:
        """Whether it stands for all times after those that Python knows."""
        return self.created_at.replace(tzinfo=None) > LAST


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Sequence[M_co], Generic[M_co]):
    """Rows, oldest first, and how to go on from them.

    older: `before=` of the page with the rows before these; None where there are none.
    newer: `after=` of the page with the rows after these; None where there are none.
    """

    rows: tuple[M_co, ...]
    older: Cursor | None
    newer: Cursor | None

    def __iter__(self) -> Iterator[M_co]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        return self.rows[place]


class RecordQuerySet(models.QuerySet[M_co]):
    """Rows with `created_at` and a UUID as their key."""

    _for_write: bool  # Django's own: whether `db` is where routers write

    def newest(self) -> Self:
        """Return the rows with the newest first; equal times in the order of their ids."""
        return self.order_by("-created_at", "-pk")

    def between(self, start: datetime.datetime | None = None, end: datetime.datetime | None = None) -> Self:
        """Return the rows written from `start` on and before `end`; None leaves that side open."""
        rows = self if start is None else self.filter(created_at__gte=start)
        return rows if end is None else rows.filter(created_at__lt=end)

    def before(self, place: Cursor) -> Self:
        """Return the rows older than a place."""
        # The first condition says no more than the second, but an index can start at it.
        near = Q() if place.is_last else Q(created_at__lte=place.created_at)
        older = Q() if place.is_first else Q(created_at__lt=place.created_at)
        return self.filter(near, older | Q(pk__lt=place.id))

    def after(self, place: Cursor) -> Self:
        """Return the rows newer than a place."""
        near = Q() if place.is_first else Q(created_at__gte=place.created_at)
        newer = Q() if place.is_last else Q(created_at__gt=place.created_at)
        return self.filter(near, newer | Q(pk__gt=place.id))

    def page(self, *, before: Cursor | None = None, after: Cursor | None = None, size: int = 50) -> Page[M_co]:
        """Return up to `size` rows: the newest, or those just before or just after a place.

        A row with no time, as an adopted table may hold, has no place, and is on no page.
        One query, whose cost depends on `size` only where an index begins with the filters and `created_at`.

        Raises:
            ValueError: both places are given, or `size` is less than 1.
        """
        size = at_least_one(size, "The size of a page")
        if before and after:
            raise ValueError("Give before or after, not both.")
        if after:
            found = list(self.after(after).order_by("created_at", "pk")[: size + 1])
            rows = found[:size]
        else:
            past = self.before(before) if before else self.filter(created_at__isnull=False)
            found = list(past.newest()[: size + 1])
            rows = found[:size][::-1]
        more = len(found) > size
        # Coming from one side, that side has the row we came from: going back finds out what is there.
        older = Cursor.of(rows[0]) if rows and (after or more) else None
        newer = Cursor.of(rows[-1]) if rows and (before or (after and more)) else None
        return Page(rows=tuple(rows), older=older, newer=newer)

    apage = twin(page)
