"""How the list of tasks is narrowed, without a look at all of them."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR
from django.db import connections, models
from django.http import HttpRequest

from core_tables.admin.filters import BoundedFilter, as_id
from core_tables.admin.shown import brief
from core_tables.admin.tasks.states import ANY, STATES, WAITING

NAMES = 50
NAME = 40  # characters

# From each name of each agent to the next along the index on both; the tasks between are never read.
PAIRS = """
WITH RECURSIVE found(agent_id, name) AS (
  (SELECT agent_id, name FROM tasks WHERE {own} ORDER BY agent_id, name LIMIT 1)
  UNION ALL
  SELECT following.* FROM found, LATERAL (
    SELECT agent_id, name FROM tasks WHERE (agent_id, name) > (found.agent_id, found.name) AND {own}
     ORDER BY agent_id, name LIMIT 1
  ) AS following
)
SELECT DISTINCT name FROM (SELECT name FROM found LIMIT %(most)s) AS first ORDER BY name
"""


class StateFilter(BoundedFilter):
    """Choose by state: what waits unless another one is chosen; a search looks at all."""

    title, parameter_name = "state", "state"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.default = ANY if request.GET.get(SEARCH_VAR) else WAITING
        super().__init__(request, *args)

    def value(self) -> str:
        chosen = super().value()
        return chosen if chosen in STATES else self.default

    def offered(self, *_: Any) -> Iterable[tuple[Any, str]]:
        return [(name, state.label) for name, state in STATES.items()]

    def choices(self, changelist: Any) -> Iterator[Any]:
        # Django puts "All" before them.
        yield from list(super().choices(changelist))[1:]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        return STATES[self.value()].rows(queryset)


class NameFilter(BoundedFilter):
    """Choose by name; `?name=mail:*` stands for all names that begin so."""

    title, parameter_name = "name", "name"

    def value(self) -> str | None:
        value = super().value()
        return None if value is None else str(value).replace("\0", "")

    def offered(self, request: HttpRequest, rows: models.QuerySet[Any]) -> Iterable[tuple[Any, str]]:
        """Return the first names, those of the chosen agent if there is one."""
        agent = as_id(request.GET.get("agent"))
        own = "agent_id = %(agent)s" if agent else "true"
        with connections[rows.db].cursor() as cursor:
            cursor.execute(PAIRS.format(own=own), {"agent": agent, "most": NAMES})
            return [(name, brief(name, NAME) or "(empty)") for (name,) in cursor.fetchall()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        name = self.value()
        return queryset if name is None else queryset.named(name)
