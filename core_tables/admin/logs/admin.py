"""The log: its entries, to be read and deleted, never changed."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import TextField
from django.db.models.fields.json import KeyTextTransform
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from core_tables.admin.base import RecordAdmin
from core_tables.admin.filters import AgentFilter, EntityFilter, RoomFilter, TypeFilter
from core_tables.admin.links import narrowing
from core_tables.admin.logs.filters import RunFilter, TimeFilter
from core_tables.admin.logs.runs import RunPages
from core_tables.admin.moments import local
from core_tables.admin.shown import as_json, brief
from core_tables.admin.stepped_list import SteppedList
from core_tables.admin.stored import beginning_unless_large, unless_large
from core_tables.models import Log

NAME = 60  # characters
# What a room and an entity are called.
NAMED = ("agent__name", "room__name", "room__source", "room__channel_id", "entity__names")


@admin.register(Log)
class LogAdmin(RunPages, RecordAdmin):
    """What agents did. Agents write it; people read it."""

    fields = ("type", "created_at", "agent", "entity", "room", "run", "content", "notes", "id", "updated_at")
    readonly_fields = fields
    list_display = ("written", "kind", "agent_name", "room_name", "entity_name", "run", "gist")
    list_filter = (TimeFilter, TypeFilter, AgentFilter, RoomFilter, EntityFilter, RunFilter)
    list_select_related = ("agent", "room", "entity")
    ordering = ("-created_at",)
    sortable_by = ("written",)

    class Media:
        css = {"all": ["core_tables/cells.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        # Many are deleted at once, and may be long: their names are all that a confirmation shows.
        return super().get_queryset(request).defer("body")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return SteppedList

    def listed(self, rows: Any) -> Any:
        """Return entries with the beginning of their bodies, and the runs that they belong to."""
        rows = rows.select_related("agent", "room", "entity").only("type", "created_at", *NAMED)
        run = unless_large("body", KeyTextTransform("runId", "body"), None, TextField())
        return rows.annotate(body_beginning=beginning_unless_large("body"), run_id=run)

    @admin.display(description="written", ordering="created_at")
    def written(self, entry: Log) -> str:
        # To the second: much happens in a minute.
        return date_format(local(entry.created_at), "Y-m-d H:i:s")

    @admin.display(description="type")
    def kind(self, entry: Log) -> str:
        return brief(entry.type, NAME)

    @admin.display(description="agent")
    def agent_name(self, entry: Log) -> SafeString | str:
        return narrowing("agent", entry.agent)

    @admin.display(description="room")
    def room_name(self, entry: Log) -> SafeString | str:
        return narrowing("room", entry.room)

    @admin.display(description="entity")
    def entity_name(self, entry: Log) -> SafeString | str:
        return narrowing("entity", entry.entity)

    @admin.display(description="run")
    def run(self, entry: Any) -> SafeString | str:
        run = entry.run_id if hasattr(entry, "run_id") else _run_of(entry.body)
        if not run:
            return "—"
        page = reverse("admin:core_tables_log_changelist", current_app=self.admin_site.name)
        return format_html('<a href="{}?{}">{}</a>', page, urlencode({"run": run}), brief(run, 12) or "(blank)")

    @admin.display(description="body")
    def gist(self, entry: Any) -> str:
        return brief(entry.body_beginning)

    @admin.display(description="body")
    def content(self, entry: Log) -> SafeString:
        return as_json(entry.body)

    @admin.display(description="metadata")
    def notes(self, entry: Log) -> SafeString | None:
        return as_json(entry.metadata) if entry.metadata else None


def _run_of(body: Any) -> str:
    run = body.get("runId") if isinstance(body, dict) else None
    return run if isinstance(run, str) else ""
