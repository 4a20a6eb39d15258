"""Worlds and rooms: where things happen."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core_tables.admin.base import RecordAdmin
from core_tables.admin.deletion import BoundedDeletion
from core_tables.admin.editing import ChangedOnly
from core_tables.admin.filters import AgentFilter
from core_tables.admin.links import linked, page_of
from core_tables.admin.reach import may_view
from core_tables.admin.rooms.changelist import RoomList
from core_tables.admin.rooms.participants import ParticipantInline
from core_tables.admin.rooms.transcript_pages import TranscriptPages
from core_tables.admin.shown import brief
from core_tables.admin.stepped_list import SteppedList
from core_tables.admin.text_fields import TextFields
from core_tables.models import Room, World

ROOMS = 20
NAME = 60  # characters
STAMPS = ("id", "created_at", "updated_at")


@admin.register(World)
class WorldAdmin(TextFields, ChangedOnly, BoundedDeletion, RecordAdmin):
    """Servers, workspaces and games."""

    one_line = ("name",)
    list_display = ("world_name", "agent_name", "created_at")
    list_filter = (AgentFilter,)
    list_select_related = ("agent",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = ("name", "agent", "message_server_id", "metadata", *STAMPS)
        return (*fields, "rooms") if obj and may_view(request, Room) else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        return (*STAMPS, "rooms")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return SteppedList

    def listed(self, rows: Any) -> Any:
        return rows.select_related("agent").only("name", "created_at", "agent__name")

    @admin.display(description="agent")
    def agent_name(self, world: World) -> str:
        return brief(world.agent.name, NAME) or str(world.agent_id)

    @admin.display(description="world")
    def world_name(self, world: World) -> str:
        return brief(world.name, NAME) or str(world.pk)

    @admin.display(description="rooms")
    def rooms(self, world: World) -> SafeString | str:
        """Return links to the first rooms, and one to the list of all."""
        rooms = list(Room.objects.in_world(world).only("name", "source", "channel_id").order_by()[: ROOMS + 1])
        if not rooms:
            return "none"
        site = self.admin_site.name
        links = [
            (linked(page_of("room_change", room.pk, site=site), brief(str(room), NAME) or room.pk),)
            for room in rooms[:ROOMS]
        ]
        items = format_html_join("", "<li>{}</li>", links)
        told = f"The first {ROOMS}; " if len(rooms) > ROOMS else ""
        page = page_of("room_changelist", site=site)
        every = format_html('<p>{}<a href="{}?world_id={}">the list of them all</a></p>', told, page, world.pk)
        return format_html("<ul>{}</ul>{}", items, every if page else told)


@admin.register(Room)
class RoomAdmin(TranscriptPages, RoomList, TextFields, ChangedOnly, BoundedDeletion, RecordAdmin):
    """Channels, threads and direct conversations."""

    one_line = ("name", "source", "channel_id", "type")
    fields = ("name", "agent", "source", "channel_id", "type", "world_id", "message_server_id", "metadata", *STAMPS)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.fields, "world") if obj and may_view(request, World) else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        return (*STAMPS, "world")

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:  # noqa: ARG002
        return [ParticipantInline] if obj else []

    @admin.display(description="world")
    def world(self, room: Room) -> SafeString | str:
        found = World.objects.only("name").filter(pk=room.world_id).first() if room.world_id else None
        if found is None:
            return "—"
        page = page_of("world_change", found.pk, site=self.admin_site.name)
        return linked(page, brief(found.name, NAME) or found.pk)
