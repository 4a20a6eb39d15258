"""Lists in two steps: the ids of a page, and then what the list shows of those."""

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from core_tables.admin.reach import veiled


def full_count(changelist: Any) -> int | None:
    """Return the number of results where those are all: else a list offers to show more than it shows already."""
    is_narrowed = changelist.query or changelist.has_active_filters
    return None if is_narrowed else changelist.result_count


class SteppedList(ChangeList):
    """A list that works out what it shows for the rows of its page alone: `listed()` of the admin says what."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = full_count(self)
        # In one step, the server would work it out for the rows of all pages before as well.
        page = list(self.result_list.values_list("pk", flat=True))
        admin: Any = self.model_admin
        self.result_list = veiled(request, admin.listed(self.queryset.filter(pk__in=page)))
