"""The page that tells how an agent is doing."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from core_tables.admin.agents import memories as agent_memories
from core_tables.admin.agents import tables as agent_tables
from core_tables.admin.agents import trouble as agent_trouble
from core_tables.admin.agents.charts import chart
from core_tables.admin.agents.memories import Vectors
from core_tables.admin.bounded import Amount
from core_tables.admin.filters import AgentFilter
from core_tables.admin.reach import may_view
from core_tables.admin.shown import brief
from core_tables.models import Agent, Embedding, Entity, Log, Memory, Room, Task

NAME = 60  # characters


class AgentDashboard(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin of agents with a dashboard for each. Every section needs the right to view what it tells of."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.dashboard_view)
        return [path("<uuid:agent_id>/dashboard/", view, name="core_tables_agent_dashboard"), *super().get_urls()]

    @method_decorator(require_safe)
    def dashboard_view(self, request: HttpRequest, agent_id: UUID) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        agent = Agent.objects.only("name", "enabled").filter(pk=agent_id).first()
        if agent is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(agent_id))  # type: ignore[attr-defined, no-any-return]
        if not self.has_view_permission(request, agent):
            raise PermissionDenied
        name = brief(agent.name, NAME) or str(agent.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "agent": agent,
            "name": name,
            "title": f"Dashboard of {name}",
            **(held := self._held(request, agent)),
            **self._remembered(request, agent, held["memories"]),
            **self._troubled(request, agent),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/core_tables/agent/dashboard.html", context)

    def _held(self, request: HttpRequest, agent: Agent) -> dict[str, Any]:
        viewable = [model for model in agent_tables.tables() if may_view(request, model)]
        held = agent_tables.holdings(agent, viewable) if viewable else []
        rows: dict[Any, Amount] = {holding.model: holding.rows for holding in held}
        return {
            "holdings": [(holding, self._list_of(holding.model, agent)) for holding in held],
            "bytes": sum(holding.bytes for holding in held),
            "memories": rows.get(Memory),
            "rooms": rows.get(Room),
            "entities": rows.get(Entity),
        }

    def _list_of(self, model: Any, agent: Agent) -> str | None:
        """Return the address of the list of an agent's rows, where there is one."""
        if not self.admin_site.is_registered(model):
            return None
        if AgentFilter not in (self.admin_site.get_model_admin(model).list_filter or ()):
            return None
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        return f"{reverse(name, current_app=self.admin_site.name)}?agent={agent.pk}"

    def _remembered(self, request: HttpRequest, agent: Agent, memories: Amount | None) -> dict[str, Any]:
        if memories is None:
            return {}
        found: dict[str, Any] = {
            "chart": chart(agent_memories.by_day(agent)),
            "last": agent_memories.newest_first(agent).only("created_at").first(),
        }
        if may_view(request, Embedding):
            vectors = agent_memories.vectors(agent)
            found |= {
                "vectors": vectors,
                "widths": list(vectors.scaled(memories)),
                "backlog": _backlog(vectors, memories),
            }
        return found

    def _troubled(self, request: HttpRequest, agent: Agent) -> dict[str, Any]:
        site = self.admin_site.name
        found: dict[str, Any] = {}
        errors = []
        if may_view(request, Task):
            found["tasks"] = agent_trouble.tasks(agent)
            errors += agent_trouble.task_errors(agent, site)
        if may_view(request, Log):
            errors += agent_trouble.log_errors(agent, site)
        if may_view(request, Task) or may_view(request, Log):
            errors.sort(key=lambda error: error.at, reverse=True)
            found["errors"] = errors[: agent_trouble.LAST]
        return found


def _backlog(vectors: Vectors, memories: Amount) -> str:
    if vectors.is_all(memories):
        return f"{vectors.without:,} of {vectors.sampled:,} memories have no vector."
    looked_at = f"{vectors.without:,} of {vectors.sampled:,} memories that were looked at have no vector"
    return f"{looked_at}: the oldest and the newest {agent_memories.SAMPLED:,}."
