"""Agents: who they are, and what they are set up with."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters

from core_tables.admin.agents.dashboard import AgentDashboard
from core_tables.admin.agents.form import AgentForm
from core_tables.admin.agents.memories import newest_first
from core_tables.admin.base import RecordAdmin
from core_tables.admin.deletion import BoundedDeletion
from core_tables.admin.editing import ChangedOnly
from core_tables.admin.reach import may_view
from core_tables.admin.refusals import without_the_row
from core_tables.admin.secrets import masked
from core_tables.admin.shown import as_json, brief
from core_tables.admin.stepped_list import SteppedList
from core_tables.models import Agent, Memory

NAME = 60  # characters


@admin.register(Agent)
class AgentAdmin(AgentDashboard, ChangedOnly, BoundedDeletion, RecordAdmin):
    """Characters."""

    form = AgentForm
    fieldsets = [
        (None, {"fields": ["name", "username", "enabled"]}),
        ("Character", {"fields": ["system", "bio", "topics", "adjectives", "style", "knowledge"]}),
        ("Examples", {"fields": ["message_examples", "post_examples"], "classes": ["collapse"]}),
        ("Setup", {"fields": ["settings", "plugins", "server_id", "metadata"]}),
        ("About", {"fields": ["id", "created_at", "updated_at"]}),
    ]
    readonly_fields = ("settings_shown", "id", "created_at", "updated_at")
    list_display = ("agent_name", "dashboard", "username_shown", "enabled", "created_at", "last_activity")
    list_filter = ("enabled",)
    ordering = ("name",)
    search_fields = ("name", "username")
    sortable_by = ("agent_name",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return SteppedList

    def get_list_display(self, request: HttpRequest) -> Any:
        return [name for name in self.list_display if name != "last_activity" or may_view(request, Memory)]

    def listed(self, rows: Any) -> Any:
        newest = newest_first(OuterRef("pk")).values("created_at")[:1]
        return rows.only("name", "username", "enabled", "created_at").annotate(newest=Subquery(newest))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        allowed = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if allowed:
            return self.fieldsets
        # What is no form field is shown as the column has it: with the secrets.
        return [
            (
                title,
                {**options, "fields": [str(name).replace("settings", "settings_shown") for name in options["fields"]]},
            )
            for title, options in self.fieldsets
        ]

    @method_decorator(sensitive_post_parameters("settings", "initial-settings"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().changeform_view(request, *args, **kwargs)
        return response

    def save_model(self, *args: Any) -> None:
        without_the_row(partial(super().save_model, *args))

    @admin.display(description="name", ordering="name")
    def agent_name(self, agent: Agent) -> str:
        return brief(agent.name, NAME) or str(agent.pk)

    @admin.display(description="username")
    def username_shown(self, agent: Agent) -> str:
        return brief(agent.username or "", NAME) or "—"

    @admin.display(description="last activity", empty_value="—")
    def last_activity(self, agent: Any) -> Any:
        return agent.newest

    @admin.display(description="dashboard")
    def dashboard(self, agent: Agent) -> SafeString:
        page = reverse("admin:core_tables_agent_dashboard", args=[agent.pk], current_app=self.admin_site.name)
        name = brief(agent.name, NAME) or agent.pk
        return format_html('<a href="{}" aria-label="Dashboard of {}">dashboard</a>', page, name)

    @admin.display(description="settings")
    def settings_shown(self, agent: Agent) -> SafeString:
        return as_json(masked(agent.settings))
