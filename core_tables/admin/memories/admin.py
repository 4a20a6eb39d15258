"""Memories: the list, the page of one, and what leads from there."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core_tables import text_limit
from core_tables.admin.base import RecordAdmin
from core_tables.admin.editing import ChangedOnly, RecordForm, told
from core_tables.admin.memories import embedding
from core_tables.admin.memories import rows as memory_rows
from core_tables.admin.memories.actions import MemoryActions
from core_tables.admin.memories.changelist import MemoryList
from core_tables.admin.memories.exports import MemoryExports
from core_tables.admin.memories.page import Surroundings
from core_tables.admin.memories.recall import RecallDebugger
from core_tables.admin.reach import may_view
from core_tables.admin.shown import as_json, attachments_of, text_of
from core_tables.contents import check_text, content_json, metadata_json
from core_tables.models import Entity, Memory, Message

ABOUT = ("type", "agent", "entity", "room", "world_id", "unique", "embedded", "created_at", "updated_at", "expires_at")
EDITED = ("content", "metadata")


class MemoryForm(RecordForm):
    """Tells what PostgreSQL or an index would refuse at the field that it is in."""

    def clean_content(self) -> Any:
        content = self.cleaned_data["content"]
        with told():
            content_json(content)
            if text_limit.is_long(Memory(content=content)):
                text_limit.check(str(content["text"]), "", self.instance._state.db or "default")
        return content

    def clean_metadata(self) -> Any:
        metadata = self.cleaned_data["metadata"]
        metadata = {} if metadata is None else metadata
        with told():
            metadata_json(metadata)
        return metadata

    def clean_type(self) -> Any:
        with told():
            check_text(self.cleaned_data["type"], "The type of a memory")
        return self.cleaned_data["type"]

    def clean(self) -> Any:
        cleaned = super().clean()
        agent = self.cleaned_data.get("agent")
        for name in ("entity", "room"):
            # A room may be of no agent.
            if agent and getattr(self.cleaned_data.get(name), "agent_id", None) not in (None, agent.pk):
                self.add_error(name, f"The {name} is of another agent: choose one of this agent's.")
        return cleaned


@admin.register(Memory)
class MemoryAdmin(MemoryExports, RecallDebugger, MemoryActions, MemoryList, ChangedOnly, RecordAdmin):
    """Memories of all agents."""

    form = MemoryForm

    class Media:
        css = {"all": ["core_tables/memories.css"]}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["agent", "type", *EDITED, "entity", "room", "expires_at"]})]
        shown = [(None, {"fields": ["said", "attachments", "rest", "known"]}), ("About", {"fields": ["id", *ABOUT]})]
        edited = ("Edit", {"fields": EDITED, "classes": ["collapse"]})
        return [*shown, edited] if self.has_change_permission(request, obj) else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ARG002
        return () if obj is None else ("said", "attachments", "rest", "known", "id", *ABOUT)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if memory := context.get("original"):
            context["has_embedder"] = embedding.is_configured()
            context["around"] = Surroundings.of(
                memory,
                messages=may_view(request, Message),
                names=may_view(request, Entity),
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and "content" in form.changed_data:
            Memory.objects.update_content(obj, obj.content, metadata=obj.metadata)
        else:
            super().save_model(request, obj, form, change)

    @admin.display(description="text")
    def said(self, memory: Any) -> SafeString | str:
        text = text_of(memory.content)
        return format_html('<div class="memory-text">{}</div>', text) if text else memory_rows.WORDLESS

    @admin.display(description="attachments")
    def attachments(self, memory: Any) -> SafeString | None:
        names = format_html_join("", "<li>{}</li>", ((name,) for name in attachments_of(memory.content)))
        return format_html('<ul class="memory-attachments">{}</ul>', names) if names else None

    @admin.display(description="the rest of the content")
    def rest(self, memory: Any) -> SafeString | None:
        if not isinstance(memory.content, dict):
            return as_json(memory.content)
        rest = {key: value for key, value in memory.content.items() if key != "text" or not isinstance(value, str)}
        return as_json(rest) if rest else None

    @admin.display(description="metadata")
    def known(self, memory: Any) -> SafeString | None:
        return as_json(memory.metadata) if memory.metadata else None

    @admin.display(description="embedding")
    def embedded(self, memory: Any) -> str | None:
        found = memory_rows.listed(Memory.objects.filter(pk=memory.pk)).first()
        return (found and memory_rows.vectors(found)) or None
