"""The list of rooms: where they come from, who is in them, and how much was said, counted no further than it reads."""

from collections.abc import Iterable
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import connections, models
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Left
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core_tables.admin.filters import DISTINCT, OFFERABLE, TYPES, AgentFilter, BoundedFilter, as_id, is_offerable
from core_tables.admin.links import narrowing
from core_tables.admin.reach import may_view
from core_tables.admin.shown import brief
from core_tables.admin.stepped_list import SteppedList
from core_tables.models import Message, Participant, Room, World
from core_tables.querysets.participants import RowCount

MANY = 1_000
# The newest rooms: those whose names are searched, and those whose types are offered.
SEARCHED, LOOKED_AT = 10_000, 1_000
FOUND = 500
NAME, SEARCHABLE = 60, 200  # characters
TEXTS = ("name", "source", "type", "channel_id")


class MemberCount(RowCount):
    """How many entities there are, each once, as an adopted table may hold one twice; many rows are only counted."""

    template = (
        f"(SELECT CASE WHEN count(*) > {MANY} THEN count(*) ELSE count(DISTINCT member) END"
        " FROM (%(subquery)s) AS counted)"
    )


class SourceFilter(BoundedFilter):
    title, parameter_name = "source", "source"

    def offered(self, request: HttpRequest, rows: models.QuerySet[Any]) -> Iterable[tuple[Any, str]]:  # noqa: ARG002
        """Return the first sources by name."""
        return [(source, brief(source, NAME) or "(empty)") for source in sources(rows.db) if is_offerable(source)]


class KindFilter(BoundedFilter):
    title, parameter_name = "type", "type"

    def offered(self, request: HttpRequest, rows: models.QuerySet[Any]) -> Iterable[tuple[Any, str]]:  # noqa: ARG002
        """Return the types of the newest rooms."""
        types = rows.order_by("-created_at").values_list(Left("type", OFFERABLE + 1), flat=True)[:LOOKED_AT]
        found = sorted(filter(is_offerable, set(types)))[:TYPES]
        return [(kind, brief(kind, NAME) or "(empty)") for kind in found]


class WorldFilter(BoundedFilter):
    """The world that the list is of, where a link led there: `?world_id=<id>`."""

    title, parameter_name = "world", "world_id"

    def value(self) -> str | None:
        return as_id(super().value())

    def offered(self, *_: Any) -> Iterable[tuple[Any, str]]:
        return ()

    def label(self, value: str) -> str:
        world = World.objects.only("name").filter(pk=value).first() if may_view(self.request, World) else None
        return brief(str(world), NAME) if world else value


class RoomList(admin.ModelAdmin):  # type: ignore[type-arg]
    """What an admin of rooms shows in its list. Who may not see messages or members sees no numbers of them."""

    list_filter = (AgentFilter, SourceFilter, KindFilter, WorldFilter)
    list_select_related = ("agent",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    # Django shows no box without it; get_search_results() goes its own way.
    search_fields = ("name",)
    search_help_text = f"Part of a name, among the newest {SEARCHED:,} rooms; or the whole id of a channel or a room."

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return SteppedList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns: list[Any] = ["room_name", "agent_name", "origin", "kind", "created_at"]
        if may_view(request, Participant):
            columns.append("members")
        if may_view(request, Message):
            columns += ["last_message", "messages", "transcript"]
        return columns

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:  # noqa: ARG002
        term = search_term.strip()
        return (queryset.filter(pk__in=_matching(queryset, term)) if term else queryset), False

    def listed(self, rows: Any) -> Any:
        """Return rooms with the numbers of their members and messages, up to one more than MANY."""
        messages = Message.objects.filter(room=OuterRef("pk"))
        members = Participant.objects.filter(room=OuterRef("pk"))
        found = list(
            rows.select_related("agent")
            .only("created_at", "agent__name")
            .annotate(
                **{f"{name}_beginning": Left(name, SEARCHABLE) for name in TEXTS},
                last_message_at=Subquery(messages.order_by("-created_at").values("created_at")[:1]),
                message_count=RowCount(messages.values("room")[: MANY + 1]),
                member_count=MemberCount(members.values(member=F("entity"))[: MANY + 1]),
            )
        )
        for room in found:
            for name in TEXTS:
                setattr(room, name, getattr(room, f"{name}_beginning"))
        return found

    @admin.display(description="source")
    def origin(self, room: Room) -> str:
        return brief(room.source, NAME)

    @admin.display(description="type")
    def kind(self, room: Room) -> str:
        return brief(room.type, NAME)

    @admin.display(description="room")
    def room_name(self, room: Room) -> str:
        return brief(str(room), NAME) or str(room.pk)

    @admin.display(description="agent")
    def agent_name(self, room: Room) -> SafeString | str:
        return narrowing("agent", room.agent, NAME)

    @admin.display(description="last message", empty_value="none")
    def last_message(self, room: Any) -> Any:
        return room.last_message_at

    @admin.display(description="members")
    def members(self, room: Any) -> str:
        return _up_to(room.member_count)

    @admin.display(description="messages")
    def messages(self, room: Any) -> str:
        return _up_to(room.message_count)

    @admin.display(description="transcript")
    def transcript(self, room: Room) -> SafeString:
        page = reverse("admin:core_tables_room_transcript", args=[room.pk], current_app=self.admin_site.name)
        return format_html('<a href="{}" aria-label="Transcript of {}">Transcript</a>', page, self.room_name(room))


def sources(alias: str) -> list[str]:
    """Return where rooms come from, the first TYPES by name."""
    quote = connections[alias].ops.quote_name
    with connections[alias].cursor() as cursor:
        cursor.execute(DISTINCT.format(table=quote(Room._meta.db_table), column=quote("source")), [TYPES])
        return [source for (source,) in cursor.fetchall()]


def _matching(rooms: Any, term: str) -> list[UUID]:
    # Compared here, since a server told to compare the newest alone may well compare them all.
    newest = rooms.order_by("-created_at").values_list("pk", Left("name", SEARCHABLE))[:SEARCHED]
    named = (key for key, name in newest if name and term.casefold() in name.casefold())
    # With the source, the index on both finds the channel.
    channels = rooms.filter(source__in=sources(rooms.db), channel_id=term).values_list("pk", flat=True)[:FOUND]
    return [*islice(named, FOUND), *channels, *_as_ids(term)]


def _as_ids(term: str) -> list[UUID]:
    try:
        return [UUID(term)]
    except ValueError:
        return []


def _up_to(count: int) -> str:
    return f"{MANY:,}+" if count > MANY else f"{count:,}"
