"""Entities: who there is, what is known of them, where they are and who is around them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.db.models import Case, IntegerField, When
from django.http import HttpRequest, HttpResponse

from core_tables.admin.base import RecordAdmin
from core_tables.admin.deletion import BoundedDeletion
from core_tables.admin.editing import ChangedOnly, RecordForm
from core_tables.admin.entities.neighbourhood import around
from core_tables.admin.filters import AgentFilter
from core_tables.admin.lines import LinesField
from core_tables.admin.reach import may_view
from core_tables.admin.shown import as_json, brief
from core_tables.admin.stepped_list import SteppedList
from core_tables.fields import texts
from core_tables.models import Component, Entity, Participant, Relationship, Room

NAMES = 100  # characters
LISTED = 50
# The newest entities of the list, whose names are searched for a part.
SEARCHED = 10_000
FOUND = 200


class EntityForm(RecordForm):
    names = LinesField(required=False, help_text="One a line, the usual one first.")


@admin.register(Entity)
class EntityAdmin(ChangedOnly, BoundedDeletion, RecordAdmin):
    """People, agents and things, as an agent knows them."""

    form = EntityForm
    fields = ("names", "agent", "metadata", "id", "created_at", "updated_at")
    list_display = ("name", "agent_name", "created_at")
    list_filter = (AgentFilter,)
    list_select_related = ("agent",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    # Django shows no box without it; get_search_results() goes its own way.
    search_fields = ("names",)
    search_help_text = f"A whole name, a part of the names of the newest {SEARCHED:,} in the list, or an id."

    class Media:
        css = {"all": ["core_tables/entities.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return SteppedList

    def listed(self, rows: Any) -> Any:
        return rows.select_related("agent").only("names", "created_at", "agent__name")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        if key := _id(text):
            return queryset.filter(pk=key), False
        newest = queryset.order_by("-created_at").values("pk")[:SEARCHED]
        ids = {
            *queryset.named(text).order_by().values_list("pk", flat=True)[:FOUND],
            *Entity.objects.filter(pk__in=newest).search_names(text).values_list("pk", flat=True)[:FOUND],
        }
        found = queryset.filter(pk__in=ids)
        if request.GET.get(ORDER_VAR):
            return found, False
        exactly = Case(When(names__contains=[text], then=0), default=1, output_field=IntegerField())
        return found.order_by(exactly, *queryset.query.order_by), False

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if entity := context.get("original"):
            if may_view(request, Component):
                context["components"], context["more_components"] = _components(entity)
            if may_view(request, Room) and may_view(request, Participant):
                context["participations"], context["more_participations"] = _participations(entity)
            if may_view(request, Relationship):
                context["around"] = around(entity, self.admin_site.name)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="names")
    def name(self, entity: Entity) -> str:
        return brief(" · ".join(texts(entity.names)), NAMES) or str(entity.pk)

    @admin.display(description="agent")
    def agent_name(self, entity: Entity) -> str:
        return brief(entity.agent.name) or str(entity.agent_id)


def _components(entity: Entity) -> tuple[list[dict[str, Any]], bool]:
    rows, more = _first(Component.objects.of(entity).order_by("type").only("type", "data", "created_at"))
    return [{"row": row, "type": brief(row.type) or row.pk, "data": as_json(row.data)} for row in rows], more


def _participations(entity: Entity) -> tuple[list[dict[str, Any]], bool]:
    found = Participant.objects.of(entity).exclude(room=None).order_by().select_related("room")
    rows, more = _first(found.only("room_state", "room__name", "room__source", "room__channel_id"))
    return [
        {"room": row.room, "name": brief(str(row.room)) or row.room_id, "state": row.room_state} for row in rows
    ], more


def _first(rows: Any) -> tuple[Sequence[Any], bool]:
    found = list(rows[: LISTED + 1])
    return found[:LISTED], len(found) > LISTED


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
