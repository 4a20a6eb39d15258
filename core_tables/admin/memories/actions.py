"""What can be done with memories, those chosen in the list or the one of a page: expire, embed anew, delete."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone

from core_tables.admin.base import AT_ONCE
from core_tables.admin.memories import embedding
from core_tables.admin.memories.deletion import Deletion
from core_tables.admin.memories.rows import named
from core_tables.admin.unquoted import Unquoted
from core_tables.embeddings.reembedding import reembed
from core_tables.models import Embedding, Memory

# Texts that are embedded while somebody waits; `manage.py reembed` has no such limit.
EMBEDDED = 256


class MemoryActions(Unquoted, admin.ModelAdmin):  # type: ignore[type-arg]
    """Actions of a list, each of which is also a button on the page of one memory."""

    actions = ("expire", "embed_anew")

    def has_embed_permission(self, request: HttpRequest) -> bool:
        """Return whether to offer somebody new embeddings: without an embedder, there are none."""
        return embedding.is_configured() and self.has_change_permission(request)

    @admin.action(description="Expire selected %(verbose_name_plural)s now", permissions=["change"])
    def expire(self, request: HttpRequest, queryset: Any) -> None:
        ids = _ids(queryset)
        # Named before: those that were not live stay as they are, and out of the log.
        live = named(Memory.objects.filter(pk__in=ids).live(), AT_ONCE)
        count = Memory.objects.filter(pk__in=[memory.pk for memory in live]).update(
            expires_at=Now(), updated_at=timezone.now()
        )
        self._log(request, live, "Expired.")
        self.message_user(request, f"{_counted(count)} expired.", messages.SUCCESS)

    @admin.action(description="Embed selected %(verbose_name_plural)s anew", permissions=["embed"])
    def embed_anew(self, request: HttpRequest, queryset: Any) -> None:
        if not embedding.is_configured():
            self.message_user(request, 'No embedder is configured: set AGENTSQL["EMBEDDER"].', messages.ERROR)
            return
        chosen = Memory.objects.filter(pk__in=_ids(queryset)).with_text()
        since = timezone.now()
        done = Embedding.objects.filter(memory=OuterRef("pk"), updated_at__gte=since)
        try:
            count = sum(reembed(chosen.filter(~Exists(done)), limit=EMBEDDED))
        except embedding.FAILURES as error:
            self.message_user(request, embedding.told(error), messages.ERROR)
        else:
            self._tell_embedded(request, count, chosen.count())
        changed = chosen.filter(embedding__updated_at__gte=since)
        self._log(request, named(changed, AT_ONCE), "Embedded anew.")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what a confirmation shows: names of the first, and numbers, whatever goes with them."""
        return Deletion.of(_ids(objs)).shown(request, self.admin_site)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:  # noqa: ARG002
        Memory.objects.filter(pk=obj.pk).delete_with_fragments()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:  # noqa: ARG002
        Memory.objects.filter(pk__in=_ids(queryset)).delete_with_fragments()

    def logged(self, row: Any) -> Memory:
        return Memory(pk=row.pk, type=row.type)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        # Their names are all that the log wants to know.
        gone: Any = named(Memory.objects.filter(pk__in=_ids(queryset)), AT_ONCE)
        return super().log_deletions(request, gone)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<uuid:key>/expire/", view(self._button("expire")), name="core_tables_memory_expire"),
            path("<uuid:key>/embed/", view(self._button("embed_anew")), name="core_tables_memory_embed"),
        ]
        return [*own, *super().get_urls()]

    def _button(self, action: str) -> Any:
        def press(request: HttpRequest, key: UUID) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            memory = self.get_object(request, str(key))
            if not self.has_change_permission(request, memory):
                raise PermissionDenied
            page = reverse("admin:core_tables_memory_change", args=[key], current_app=self.admin_site.name)
            if memory is None:
                page = reverse("admin:core_tables_memory_changelist", current_app=self.admin_site.name)
                self.message_user(request, f"There is no memory {key}.", messages.WARNING)
            else:
                getattr(self, action)(request, Memory.objects.filter(pk=key))
            return HttpResponseRedirect(page)

        return press

    def _log(self, request: HttpRequest, memories: list[Memory], what: str) -> None:
        if memories:
            rows: Any = [self.logged(memory) for memory in memories]
            LogEntry.objects.log_actions(request.user.pk, rows, CHANGE, change_message=what)  # type: ignore[arg-type]

    def _tell_embedded(self, request: HttpRequest, count: int, wanted: int) -> None:
        left = "" if count >= wanted else f" {_counted(wanted - count)} left: run `manage.py reembed` for many."
        self.message_user(request, f"{_counted(count)} embedded anew.{left}", messages.SUCCESS)


def _counted(count: int) -> str:
    return f"{count:,} memory" if count == 1 else f"{count:,} memories"


def _ids(rows: Any) -> list[UUID]:
    """Return the ids of a queryset or a list, as many as one action takes."""
    if isinstance(rows, list):
        return [row.pk for row in rows]
    return list(rows.values_list("pk", flat=True)[:AT_ONCE])
