"""What goes with rows that are deleted, told in numbers: Django's own confirmation loads it all to list it.

The paths are those of `core_tables.querysets.sweep`: from the rows along every key whose rule is CASCADE. Of each kind
so many rows are looked up and no more, and through them those of the next kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import connections, models
from django.db.models.deletion import get_candidate_relations_to_delete

from core_tables.admin.bounded import Amount, estimates, steady

CASCADING = {"CASCADE", "DB_CASCADE"}
FORBIDDING = {"PROTECT", "RESTRICT"}
FOLLOWED = 1_000
NAMED = 20

Model = type[models.Model]

# A lookup for each parent, which no plan can turn into a search through the whole table.
POINTING = """
SELECT pointing.* FROM unnest(%s::{type}[]) AS parent (id)
 CROSS JOIN LATERAL (SELECT {columns} FROM {table} WHERE {column} = parent.id LIMIT %s) AS pointing
 LIMIT %s
"""


@dataclass(slots=True, kw_only=True)
class Kind:
    """The rows of one model that go.

    keys: those by which they go, each with the model that it points to; the nearest to the root first.
    found: the ids of up to FOLLOWED + 1 of them.
    is_all: whether these are all, as far as no more than FOLLOWED are here.
    """

    model: Model
    keys: list[tuple[Any, Model]] = field(default_factory=list)
    found: set[Any] = field(default_factory=set)
    is_all: bool = False

    @property
    def is_counted(self) -> bool:
        return self.is_all and len(self.found) <= FOLLOWED


class Consequences:
    """What goes with the rows of a queryset."""

    def __init__(self, rows: models.QuerySet[Any]) -> None:
        self._rows = rows
        self._using = rows.db
        self._kinds = {rows.model: Kind(model=rows.model)}
        for model in (open_ends := [rows.model]):
            for key in _keys_to(model, CASCADING):
                kind = self._kinds.setdefault(key.model, Kind(model=key.model))
                kind.keys.append((key, model))
                if key.model not in open_ends:
                    open_ends.append(key.model)

    @cached_property
    def amounts(self) -> dict[Model, Amount]:
        """How many rows of each other model go; of models that are left out, certainly none.

        The number of statements depends on the models alone, and what they read does not grow with the tables.
        """
        self._look()
        others = [kind for kind in self._kinds.values() if kind.model is not self._rows.model]
        about = estimates([self._nearest(kind.model) for kind in others], self._using)
        found = {
            kind.model: Amount(counted=len(kind.found))
            if kind.is_counted
            else Amount(counted=min(len(kind.found), FOLLOWED), about=guess if kind.found else 0)
            for kind, guess in zip(others, about, strict=True)
        }
        return {model: amount for model, amount in found.items() if amount != Amount(counted=0)}

    def forbidding(self) -> Iterator[Any]:
        """Yield the first rows that forbid the deletion, for each key that may."""
        self._look()
        for kind in self._kinds.values():
            for key in _keys_to(kind.model, FORBIDDING):
                rows = key.model._base_manager.using(self._using).filter(**{f"{key.name}__in": self._ends(key, kind)})
                if _rule(key) == "RESTRICT" and key.model in self._kinds:
                    # It lets go of what is deleted along another way.
                    rows = rows.exclude(pk__in=self._kinds[key.model].found)
                yield from rows[:NAMED]

    def _look(self) -> None:
        root, *others = self._order()
        if self._kinds[root].found:
            return
        self._kinds[root].found = set(self._rows.values_list("pk", flat=True))
        self._kinds[root].is_all = not self._kinds[root].keys
        seen = {root}
        with steady(self._using):
            for model in others:
                kind = self._kinds[model]
                for key, parent in kind.keys:
                    kind.found.update(self._pointing(key, self._kinds[parent]))
                kind.is_all = all(parent in seen and self._kinds[parent].is_counted for _, parent in kind.keys)
                seen.add(model)

    def _order(self) -> list[Model]:
        """Return the models, each after those that lead to it; where keys go round in a loop, it is cut."""
        after: list[Model] = []
        visited: set[Model] = set()

        def visit(model: Model) -> None:
            visited.add(model)
            for kind in self._kinds.values():
                if kind.model not in visited and any(parent is model for _, parent in kind.keys):
                    visit(kind.model)
            after.append(model)

        visit(self._rows.model)
        return after[::-1]

    def _pointing(self, key: Any, parent: Kind) -> Iterator[Any]:
        connection = connections[self._using]
        quote = connection.ops.quote_name
        ids = [field.column for field in key.model._meta.pk_fields]
        sql = POINTING.format(
            type=key.db_type(connection),
            columns=", ".join(map(quote, ids)),
            table=quote(key.model._meta.db_table),
            column=quote(key.column),
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [self._ends(key, parent), FOLLOWED + 1, FOLLOWED + 1])
            for row in cursor.fetchall():
                yield row if len(ids) > 1 else row[0]

    def _ends(self, key: Any, parent: Kind) -> list[Any]:
        """Return what the key of a row holds that points to one of these parents."""
        if key.target_field.primary_key:
            return list(parent.found)
        rows = parent.model._base_manager.using(self._using).filter(pk__in=parent.found)
        return list(rows.values_list(key.target_field.attname, flat=True))

    def _nearest(self, model: Model) -> models.QuerySet[Any]:
        """Return all rows of a model that go by the shortest way, for the planner alone."""
        if model is self._rows.model:
            return self._rows
        key, parent = self._kinds[model].keys[0]
        ends = self._nearest(parent).values(key.target_field.attname)
        return model._base_manager.using(self._using).filter(**{f"{key.name}__in": ends})


def _keys_to(model: Model, rules: set[str]) -> list[Any]:
    keys = [relation.field for relation in get_candidate_relations_to_delete(model._meta)]  # type: ignore[attr-defined]
    return [key for key in keys if _rule(key) in rules]


def _rule(key: Any) -> str:
    return getattr(key.remote_field.on_delete, "__name__", "")
