"""Tasks: what waits, what runs and what went wrong."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import F
from django.db.models.functions import Right
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core_tables.admin.base import RecordAdmin
from core_tables.admin.editing import ChangedOnly
from core_tables.admin.filters import AgentFilter
from core_tables.admin.links import narrowing
from core_tables.admin.shown import LONGEST, brief
from core_tables.admin.stepped_list import SteppedList
from core_tables.admin.tasks.actions import TaskActions
from core_tables.admin.tasks.filters import NameFilter, StateFilter
from core_tables.admin.tasks.form import TaskForm
from core_tables.admin.tasks.states import ANY, STATES, WAITING, spelled, state_of
from core_tables.models import Agent, Task

NAME = 60  # characters
ERROR = 400
LISTED = ("name", "status", "run_at", "locked_until", "attempts", "max_attempts", "worker", "every")
# What workers write. `state` stands for the status, which nobody sets by hand.
THEIRS = ("attempts", "worker", "locked_until", "lease", "started_at", "finished_at", "first_at")


@admin.register(Task)
class TaskAdmin(TaskActions, ChangedOnly, RecordAdmin):
    """Tasks of all agents; those of other programs are shown, and left to them."""

    form = TaskForm
    fieldsets = [
        (None, {"fields": ["state", "error", "name", "description", "agent"]}),
        ("When", {"fields": ["run_at", "every", "repeats", "max_attempts"]}),
        ("What", {"fields": ["metadata", "tags", "room_id", "world_id", "entity_id"]}),
        ("At work", {"fields": THEIRS}),
        ("About", {"fields": ["id", "created_at", "updated_at"]}),
    ]
    readonly_fields = ("state", "error", "repeats", *THEIRS, "id", "created_at", "updated_at")
    list_display = ("task_name", "state", "agent_name", "run_at", "tries", "trouble", "repeats", "worker_name")
    list_filter = (StateFilter, AgentFilter, NameFilter)
    list_select_related = ("agent",)
    sortable_by = ()
    # Django shows no box without it; get_search_results() goes its own way.
    search_fields = ("name",)
    search_help_text = "A name, or the beginning of one and then *, in any state. Case counts."

    class Media:
        css = {"all": ["core_tables/cells.css"]}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ARG002
        return self.fieldsets if obj else [(None, {"fields": ["name", "description", "agent"]}), *self.fieldsets[1:3]]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"run_at": timezone.now(), **super().get_changeform_initial_data(request)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return SteppedList

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        default = ANY if request.GET.get("q") else WAITING
        return STATES.get(request.GET.get("state", default), STATES[default]).order

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:  # noqa: ARG002
        term = search_term.strip()
        # The agents lead into the index, which begins with them.
        return (queryset.named(term).filter(agent__in=Agent.objects.values("pk")) if term else queryset), False

    def listed(self, rows: Any) -> Any:
        """Return tasks with the end of their error, and no more of them than a list needs."""
        rows = rows.select_related("agent").only(*LISTED, "agent__name", "agent__enabled")
        return rows.annotate(error_end=Right(F("last_error"), ERROR))

    @admin.display(description="task")
    def task_name(self, task: Task) -> str:
        return brief(task.name, NAME) or str(task.pk)

    @admin.display(description="state")
    def state(self, task: Task) -> str:
        return state_of(task)

    @admin.display(description="agent")
    def agent_name(self, task: Task) -> SafeString | str:
        link = narrowing("agent", task.agent, NAME)
        return link if task.agent.enabled else format_html("{} (disabled: its tasks wait)", link)

    @admin.display(description="repeats", empty_value="once")
    def repeats(self, task: Task) -> str | None:
        return spelled(task.every) or None

    @admin.display(description="attempts")
    def tries(self, task: Task) -> str:
        return f"{task.attempts:,} of {task.max_attempts:,}"

    @admin.display(description="worker")
    def worker_name(self, task: Task) -> str:
        return brief(task.worker or "—", NAME)

    @admin.display(description="last error")
    def trouble(self, task: Any) -> str:
        # The last line of a traceback says what it was.
        return brief((task.error_end or "").strip().rpartition("\n")[2]) or "—"

    @admin.display(description="last error")
    def error(self, task: Task) -> SafeString | None:
        error = task.last_error
        if not error:
            return None
        # The end says most of it.
        cut = f"{len(error) - LONGEST:,} characters before …\n" if len(error) > LONGEST else ""
        return format_html('<pre class="agent-json" tabindex="0">{}{}</pre>', cut, error[-LONGEST:])
