"""Tables that are listed room by room: no index serves a list of all their rows in the order of time."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.http import HttpRequest, HttpResponse

from core_tables.admin.filters import RoomFilter
from core_tables.admin.stepped_list import SteppedList


class ChosenRoom(RoomFilter):
    """The room that the list is of; links lead to others."""

    def offered(self, request: HttpRequest, rows: models.QuerySet[Any]) -> Iterable[tuple[Any, str]]:  # noqa: ARG002
        """Return no rooms: to look for them would read the newest rows of all."""
        return ()


class OneRoom(SteppedList):
    """The list of one room; of no room, it is empty."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        rows = super().get_queryset(request, *args, **kwargs)
        return rows if request.GET.get("room") else rows.none()


class ByRoom(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin that is reached from rooms, and not from the index."""

    list_filter = (ChosenRoom,)
    sortable_by = ("created_at",)

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:  # noqa: ARG002
        return {}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return OneRoom

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = dict(extra_context or {})
        if not request.GET.get("room"):
            context["subtitle"] = f"The {self.opts.verbose_name_plural} of a room are listed from the page of the room."
        return super().changelist_view(request, context)

    def listed(self, rows: Any) -> Any:
        """Return the rows of a page with what the list shows of them."""
        return rows
