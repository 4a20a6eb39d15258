"""Filters that stay quick on long tables: what they offer is bounded, and found along an index."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import connections, models
from django.http import HttpRequest

from core_tables.admin.reach import may_view
from core_tables.admin.shown import brief

OFFERED = 20
# The newest rows of the list, which are searched for the rooms and entities to offer.
NEWEST = 500
AGENTS, TYPES = 50, 50
# What lacks something is found by looking at all: so many of the newest rows.
LOOKED_THROUGH = 20_000
NAME = 40  # characters
NAMING = ("name", "names", "source", "channel_id")
# What is longer is not offered: it would stand in the link as it is.
OFFERABLE = 200  # characters

# From each type to the next along the index that begins with it; the rows between are never read.
DISTINCT = """
WITH RECURSIVE found(value) AS (
  (SELECT {column} FROM {table} ORDER BY {column} LIMIT 1)
  UNION ALL
  SELECT (SELECT {column} FROM {table} WHERE {column} > found.value ORDER BY {column} LIMIT 1)
    FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value IS NOT NULL LIMIT %s
"""


class BoundedFilter(admin.SimpleListFilter):
    """A filter that also takes values other than those that it offers."""

    def has_output(self) -> bool:
        # Django applies no filter that has nothing to offer.
        return bool(self.lookup_choices) or self.value() is not None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        offered = [(str(value), label) for value, label in self.offered(request, model_admin.get_queryset(request))]
        chosen = self.value()
        if chosen and chosen not in dict(offered):
            offered.insert(0, (chosen, self.label(chosen)))
        return offered

    def offered(self, request: HttpRequest, rows: models.QuerySet[Any]) -> Iterable[tuple[Any, str]]:
        """Return values and their labels."""
        raise NotImplementedError

    def label(self, value: str) -> str:
        """Return the label of a value that is not offered."""
        return brief(value, NAME)

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:  # noqa: ARG002
        value = self.value()
        if value and "\x00" in value:  # which PostgreSQL has no text for
            raise IncorrectLookupParameters
        return queryset if value is None else queryset.filter(**{str(self.parameter_name): value})


class RowFilter(BoundedFilter):
    """Choose by a key to another table; its name is that of the column. Any row by its id: `?room=<id>`.

    Rows are offered and named to those who may see them.
    """

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        self.target: type[models.Model] = model._meta.get_field(self.parameter_name).related_model
        super().__init__(request, params, model, model_admin)

    def value(self) -> str | None:
        return as_id(super().value())

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if may_view(request, self.target):
            return super().lookups(request, model_admin)
        chosen = self.value()
        return [(chosen, chosen)] if chosen else []

    def label(self, value: str) -> str:
        row = self._named().filter(pk=value).first()
        return _name(row) if row else value

    def _named(self) -> models.QuerySet[Any]:
        """Return the rows to choose from, with what their names are made of and no more of them."""
        columns = {field.name for field in self.target._meta.concrete_fields}
        return self.target._base_manager.only(*columns.intersection(NAMING))

    def offered(self, request: HttpRequest, rows: models.QuerySet[Any]) -> Iterable[tuple[Any, str]]:
        """Return the rows that the newest rows of the list point to, the newest first."""
        agent = as_id(request.GET.get("agent"))
        if agent and any(field.name == "agent" for field in rows.model._meta.fields):
            rows = rows.filter(agent=agent)
        ids = rows.order_by("-created_at").values_list(f"{self.parameter_name}_id", flat=True)[:NEWEST]
        latest = [key for key in dict.fromkeys(ids) if key is not None][:OFFERED]
        found = self._named().in_bulk(latest)
        return [(key, _name(found[key])) for key in latest if key in found]


class AgentFilter(RowFilter):
    title, parameter_name = "agent", "agent"

    def offered(self, request: HttpRequest, rows: models.QuerySet[Any]) -> Iterable[tuple[Any, str]]:  # noqa: ARG002
        """Return the first agents by name."""
        agents = self.target._base_manager.order_by("name").values_list("pk", "name")[:AGENTS]
        return [(key, brief(name, NAME) or str(key)) for key, name in agents]


class RoomFilter(RowFilter):
    title, parameter_name = "room", "room"


class EntityFilter(RowFilter):
    title, parameter_name = "entity", "entity"


class TypeFilter(BoundedFilter):
    """Choose by `type`, for tables with an index that begins with it."""

    title, parameter_name = "type", "type"

    def offered(self, request: HttpRequest, rows: models.QuerySet[Any]) -> Iterator[tuple[Any, str]]:  # noqa: ARG002
        """Return the first types by name."""
        quote = connections[rows.db].ops.quote_name
        with connections[rows.db].cursor() as cursor:
            cursor.execute(DISTINCT.format(table=quote(rows.model._meta.db_table), column=quote("type")), [TYPES])
            return ((value, brief(value, NAME) or "(empty)") for (value,) in cursor.fetchall() if is_offerable(value))


class EmbeddingFilter(BoundedFilter):
    """The last of a list's filters: it looks at the newest of what the others leave."""

    title, parameter_name = "embedding", "embedding"

    def offered(self, *_: Any) -> Iterable[tuple[Any, str]]:
        return [("yes", "has one"), ("no", f"has none, of the newest {LOOKED_THROUGH:,}")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        if self.value() == "yes":
            return queryset.with_embedding()
        if self.value() == "no":
            newest = queryset.select_related(None).order_by("-created_at").values("pk")[:LOOKED_THROUGH]
            return queryset.filter(pk__in=newest).without_embedding()
        return queryset


class ExpiryFilter(BoundedFilter):
    title, parameter_name = "expiry", "expiry"

    def offered(self, *_: Any) -> Iterable[tuple[Any, str]]:
        return [("live", "not expired"), ("expired", "expired")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        chosen = {"live": queryset.live, "expired": queryset.expired}.get(str(self.value()))
        return chosen() if chosen else queryset


def is_offerable(value: str) -> bool:
    return len(value) <= OFFERABLE


def as_id(value: str | None) -> str | None:
    """Return an id out of an address in its usual form, None where there is none.

    Raises:
        IncorrectLookupParameters: it is no UUID; the list then shows itself without its filters.
    """
    if not value:
        return None
    try:
        return str(UUID(value))
    except ValueError as error:
        raise IncorrectLookupParameters(error) from error


def _name(row: Any) -> str:
    return brief(str(row), NAME) or str(row.pk)
