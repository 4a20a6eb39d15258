"""Participants: the first of a room on its page, all of them in a list of that room."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import OuterRef, Q
from django.db.models.functions import Coalesce
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from core_tables.admin.base import RecordAdmin
from core_tables.admin.editing import ChangedOnly, RecordForm
from core_tables.admin.reach import may_view
from core_tables.admin.rooms.by_room import ByRoom
from core_tables.admin.shown import brief
from core_tables.models import Message, Participant
from core_tables.querysets.participants import NEVER, RowCount

SHOWN = 50
UNREAD = 100
NAME = 60  # characters


class ParticipantForm(RecordForm):
    """What is in no room, or is nobody, is in no list either."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        for name in {"room", "entity"} & self.fields.keys():
            # An adopted table may have those without.
            self.fields[name].required = row._state.adding or getattr(row, f"{name}_id") is not None


class FirstOnes(BaseInlineFormSet):  # type: ignore[type-arg]
    """A form for each of the first SHOWN; what comes back is of those that were the first when the page was shown."""

    def get_queryset(self) -> Any:
        if not hasattr(self, "_queryset"):
            rows = super().get_queryset()
            if self.is_bound:
                rows = rows.filter(pk__in=self._sent()).select_for_update(of=("self",), no_key=True)
            self._queryset = rows[:SHOWN]
        return self._queryset

    def _sent(self) -> list[Any]:
        """Return the ids of the participants that were shown."""
        sent = (self.data.get(f"{self.add_prefix(place)}-id") for place in range(min(SHOWN, self.initial_form_count())))
        return [key for key in map(_key, sent) if key]

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        # The heading of a column labels no field for those who can't see it.
        for name, field in form.fields.items():
            field.widget.attrs["aria-label"] = f"{field.label or name} of {_who(form.instance)}"


class ParticipantInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who is in a room, since when the longest first: what they want of it, and what they have not read."""

    model = Participant
    form = RecordForm
    formset = FirstOnes
    verbose_name_plural = f"participants (the first {SHOWN})"
    fields = ("who", "room_state", "last_read_at")
    readonly_fields = ("who", "last_read_at", "unread")
    ordering = ("created_at", "pk")
    extra = 0
    show_change_link = True

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        return (*self.fields, "unread") if may_view(request, Message) else self.fields

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).select_related("entity")
        unseen = Q(created_at__gt=Coalesce(OuterRef("last_read_at"), NEVER))
        others = Q(author__isnull=True) | ~Q(author=OuterRef("entity"))
        messages = Message.objects.filter(unseen, others, room=OuterRef("room"))
        return rows.annotate(unread_count=RowCount(messages.values("pk")[: UNREAD + 1]))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    @admin.display(description="entity")
    def who(self, participant: Participant) -> str:
        return _who(participant)

    @admin.display(description="unread")
    def unread(self, participant: Any) -> str:
        count = participant.unread_count
        return f"{UNREAD}+" if count > UNREAD else str(count)


@admin.register(Participant)
class ParticipantAdmin(ByRoom, ChangedOnly, RecordAdmin):
    """The participants of a room."""

    form = ParticipantForm
    fields = ("room", "entity", "agent", "room_state", "last_read_at", "metadata", "id", "created_at", "updated_at")
    list_display = ("who", "room_state", "last_read_at", "created_at")
    list_select_related = ("entity", "room")
    ordering = ("created_at",)

    def listed(self, rows: Any) -> Any:
        return rows.select_related("entity")

    @admin.display(description="entity")
    def who(self, participant: Participant) -> str:
        return _who(participant)


def _key(text: Any) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


def _who(participant: Participant) -> str:
    entity = participant.entity
    return (entity and brief(str(entity), NAME)) or str(participant.entity_id or "—")
