"""What operators do about tasks: those chosen in the list, or the one of a page.

Each is one conditional statement, so that what a worker takes at the same moment is left to it, and counted as such.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse

from core_tables.admin.base import AT_ONCE
from core_tables.models import Task

BUTTONS = ("retry", "run_now", "cancel")


class TaskActions(admin.ModelAdmin):  # type: ignore[type-arg]
    """Actions of a list, each of which is also a button on the page of one task."""

    actions = BUTTONS

    @admin.action(
        description="Run selected %(verbose_name_plural)s again, with all their attempts", permissions=["change"]
    )
    def retry(self, request: HttpRequest, queryset: Any) -> None:
        ids = _ids(queryset)
        changed = Task.objects.filter(pk__in=ids)._restarted()
        self._tell(request, changed, _asked(request, ids), "due again, with all attempts before it")

    @admin.action(description="Run selected %(verbose_name_plural)s now", permissions=["change"])
    def run_now(self, request: HttpRequest, queryset: Any) -> None:
        ids = _ids(queryset)
        tasks = Task.objects.filter(pk__in=ids)
        with transaction.atomic(using=tasks.db):
            # The failed ones first: afterwards they are pending, too.
            changed = tasks.failed()._restarted()
            changed += tasks.pending().exclude(pk__in=[task.pk for task in changed])._returning(run_at=Now())
        self._tell(request, changed, _asked(request, ids), "due now")

    @admin.action(description="Cancel selected %(verbose_name_plural)s", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: Any) -> None:
        ids = _ids(queryset)
        changed = Task.objects.filter(pk__in=ids)._cancelled()
        self._tell(request, changed, _asked(request, ids), "cancelled")

    def get_urls(self) -> list[Any]:
        own = [
            path(
                f"<uuid:key>/{action.replace('_', '-')}/",
                self.admin_site.admin_view(self._button(action)),
                name=f"core_tables_task_{action}",
            )
            for action in BUTTONS
        ]
        return [*own, *super().get_urls()]

    def _button(self, action: str) -> Any:
        def press(request: HttpRequest, key: UUID) -> HttpResponse:
            if not self.has_change_permission(request):
                raise PermissionDenied
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            tasks = Task.objects.filter(pk=key)
            if not tasks.exists():
                self.message_user(request, f"There is no task {key}.", messages.WARNING)
                page = reverse("admin:core_tables_task_changelist", current_app=self.admin_site.name)
            else:
                getattr(self, action)(request, tasks)
                page = reverse("admin:core_tables_task_change", args=[key], current_app=self.admin_site.name)
            return HttpResponseRedirect(page)

        return press

    def _tell(self, request: HttpRequest, changed: Sequence[Task], asked: int, what: str) -> None:
        if changed:
            user: Any = request.user
            LogEntry.objects.log_actions(user.pk, changed, CHANGE, change_message=f"Made {what}.")
            self.message_user(request, f"{_counted(len(changed))} made {what}.", messages.SUCCESS)
        if left := asked - len(changed):
            why = "a worker has it, it is over, it is another program's, or it is gone"
            told = f"{_counted(left)} left as {'it was' if left == 1 else 'they were'}: {why}."
            self.message_user(request, told, messages.WARNING)


def _ids(tasks: Any) -> list[UUID]:
    return list(tasks.values_list("pk", flat=True)[:AT_ONCE])


def _asked(request: HttpRequest, ids: Sequence[UUID]) -> int:
    """Return how many tasks were chosen, those included that the list no longer has."""
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
    return len(ids) if request.POST.get("select_across") == "1" else max(len(ids), len(chosen))


def _counted(count: int) -> str:
    return f"{count:,} task" if count == 1 else f"{count:,} tasks"
