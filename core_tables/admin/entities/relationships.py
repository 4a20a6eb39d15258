"""Components and relationships, each on a page of its own; the page of an entity leads there."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from core_tables.admin.base import RecordAdmin
from core_tables.admin.editing import ChangedOnly, RecordForm
from core_tables.admin.filters import AgentFilter, EntityFilter, RowFilter
from core_tables.admin.lines import LinesField
from core_tables.admin.shown import brief
from core_tables.admin.stepped_list import SteppedList
from core_tables.fields import texts
from core_tables.models import Component, Relationship

NAME = 60  # characters
STAMPS = ("id", "created_at", "updated_at")


class SourceFilter(RowFilter):
    title, parameter_name = "source", "source_entity"


class TargetFilter(RowFilter):
    title, parameter_name = "target", "target_entity"


class RelationshipForm(RecordForm):
    tags = LinesField(required=False, help_text="One a line.")


@admin.register(Relationship)
class RelationshipAdmin(ChangedOnly, RecordAdmin):
    """How entities stand to each other."""

    form = RelationshipForm
    fields = ("source_entity", "target_entity", "agent", "tags", "metadata", *STAMPS)
    list_display = ("source", "target", "tagged", "agent_name", "created_at")
    list_display_links = ("source", "target")
    list_filter = (AgentFilter, SourceFilter, TargetFilter)
    list_select_related = ("source_entity", "target_entity", "agent")
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    # Django shows no box without it; get_search_results() goes its own way.
    search_fields = ("tags",)
    search_help_text = "A whole tag."

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return SteppedList

    def listed(self, rows: Any) -> Any:
        shown = ("tags", "created_at", "source_entity__names", "target_entity__names", "agent__name")
        return rows.select_related(*self.list_select_related).only(*shown)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:  # noqa: ARG002
        return (queryset.tagged(search_term.strip()) if search_term.strip() else queryset), False

    @admin.display(description="source")
    def source(self, relationship: Relationship) -> str:
        return _name(relationship.source_entity)

    @admin.display(description="target")
    def target(self, relationship: Relationship) -> str:
        return _name(relationship.target_entity)

    @admin.display(description="tags")
    def tagged(self, relationship: Relationship) -> str:
        return brief(", ".join(texts(relationship.tags))) or "—"

    @admin.display(description="agent")
    def agent_name(self, relationship: Relationship) -> str:
        return _name(relationship.agent)


@admin.register(Component)
class ComponentAdmin(ChangedOnly, RecordAdmin):
    """Pieces of data about entities."""

    fields = ("entity", "type", "data", "agent", "room", "world", "source_entity", "metadata", *STAMPS)
    list_display = ("kind", "entity_name", "agent_name", "created_at")
    list_filter = (AgentFilter, EntityFilter)
    list_select_related = ("entity", "agent")
    ordering = ("-created_at",)
    sortable_by = ("created_at",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return SteppedList

    def listed(self, rows: Any) -> Any:
        return rows.select_related("entity", "agent").only("type", "created_at", "entity__names", "agent__name")

    @admin.display(description="type")
    def kind(self, component: Component) -> str:
        return brief(component.type, NAME) or "—"

    @admin.display(description="entity")
    def entity_name(self, component: Component) -> str:
        return _name(component.entity)

    @admin.display(description="agent")
    def agent_name(self, component: Component) -> str:
        return _name(component.agent)


def _name(row: Any) -> str:
    return brief(str(row), NAME) or str(row.pk)
