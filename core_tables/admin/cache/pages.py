"""The page of one cache entry, and how entries are deleted: one, all of an agent, or what has expired."""

from collections.abc import Callable
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from core_tables.admin.cache.rows import address_of, found, id_of, pickled_text, size_of
from core_tables.admin.paginator import FAR
from core_tables.admin.reach import may_view, nameless, veiled
from core_tables.admin.shown import LONGEST, as_json, brief
from core_tables.admin.stored import beginning
from core_tables.exceptions import UnknownAgent
from core_tables.models import Agent, Cache

TEMPLATES = "admin/core_tables/cache"
SHOWN = 2**20  # bytes of a value as it is stored; of a larger one its beginning is shown
AGENTS = 50
BATCH, BATCHES = 5_000, 20
NAME = 60  # characters


class CachePages(admin.ModelAdmin):  # type: ignore[type-arg]
    """The pages that address one entry: Django's own can't, since its key has two parts."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        name = "core_tables_cache"
        return [
            path("", view(self.changelist_view), name=f"{name}_changelist"),
            path("clear/", view(self.clear_view), name=f"{name}_clear"),
            path("clear-expired/", view(self.clear_expired_view), name=f"{name}_clear_expired"),
            path("<str:address>/change/", view(self.entry_view), name=f"{name}_change"),
            path("<str:address>/delete/", view(self.delete_entry_view), name=f"{name}_delete"),
        ]

    def entry_view(self, request: HttpRequest, address: str) -> HttpResponse:
        """Show an entry."""
        self._demand(self.has_view_or_change_permission(request))
        entry: Any = found(address)
        if entry is None:
            return self._gone(request)
        context = {
            "entry": veiled(request, [entry])[0],
            "address": address_of(entry),
            "subtitle": brief(entry.key, NAME),
            "size": size_of(entry),
            "value": _value(entry),
            "is_expired": entry.expires_at is not None and entry.expires_at <= timezone.now(),
            "metadata": as_json(entry.metadata) if entry.metadata else None,
        }
        return self._page(request, "entry", "View cache entry", **context)

    def delete_entry_view(self, request: HttpRequest, address: str) -> HttpResponse:
        """Ask whether to delete an entry, and delete it."""
        self._demand(self.has_delete_permission(request))
        entry = found(address)
        if entry is None:
            return self._gone(request)
        name = brief(entry.key, NAME)

        def delete() -> str:
            try:
                Cache.objects.of(entry.agent_id).delete(entry.key)
            except UnknownAgent:  # What is left of an agent that is gone, nobody else writes.
                Cache.objects.filter(agent=entry.agent_id, key=entry.key).delete()
            self._log(request, entry.key, "", object_id=id_of(entry))
            return f"The cache entry “{name}” was deleted."

        veiled(request, [entry])
        question = f"Delete the cache entry “{name}” of {brief(str(entry.agent), NAME)}?"
        return self._confirmed(request, "Delete cache entry", question, delete)

    def clear_view(self, request: HttpRequest) -> HttpResponse:
        """Ask whose cache to clear, and clear it. Agents are offered and named to those who may see them."""
        self._demand(self.has_delete_permission(request))
        is_named = may_view(request, Agent)
        agent = _agent(request.GET.get("agent", ""))
        if agent is None:
            agents = Agent.objects.only("name").order_by("name")[:AGENTS] if is_named else []
            return self._page(request, "clear", "Clear the cache of an agent", agents=agents, is_named=is_named)
        agent = agent if is_named else nameless(Agent, id=agent.pk)
        name = brief(str(agent), NAME)

        def clear() -> str:
            count = Cache.objects.of(agent).clear()
            self._log(request, f"Cache of {agent.name}", f"Cleared: {count} live entries.")
            return f"The cache of {name} is empty: {count:,} live entries are gone."

        entries = Cache.objects.filter(agent=agent).order_by().values("key")[:FAR].count()
        many = f"{entries:,} or more entries" if entries >= FAR else f"{entries:,} entries"
        warning = "Locks, counters and, where Django's own cache is kept with this agent, sessions may be among them."
        return self._confirmed(request, "Clear the cache of an agent", f"Delete {many} of {name}? {warning}", clear)

    def clear_expired_view(self, request: HttpRequest) -> HttpResponse:
        """Ask whether to delete what has expired, and delete as much as somebody waits for."""
        self._demand(self.has_delete_permission(request))

        def clear() -> str:
            count = sum(islice(Cache.objects.delete_expired(BATCH), BATCHES))
            self._log(request, "Expired cache entries", f"Cleared: {count} entries.")
            more = " More may be left: again, or run `manage.py prune_agent_data`." if count >= BATCH * BATCHES else ""
            return f"{count:,} expired entries deleted.{more}"

        return self._confirmed(request, "Clear what has expired", "Delete the expired entries of all agents?", clear)

    def _confirmed(self, request: HttpRequest, title: str, question: str, act: Callable[[], str]) -> HttpResponse:
        if request.method == "POST":
            self.message_user(request, act(), messages.SUCCESS)
            return self._back(request)
        return self._page(request, "confirm", title, question=question)

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        common = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "media": self.media,
            "has_view_permission": self.has_view_or_change_permission(request),
            "has_delete_permission": self.has_delete_permission(request),
            "back": self._list_or_index(request),
        }
        return TemplateResponse(request, f"{TEMPLATES}/{template}.html", common | context)

    def _gone(self, request: HttpRequest) -> HttpResponse:
        self.message_user(request, "There is no such cache entry. Perhaps it was deleted?", messages.WARNING)
        return self._back(request)

    def _back(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self._list_or_index(request))

    def _list_or_index(self, request: HttpRequest) -> str:
        """Return the address that leads back: who may not see the list finds the message on the index."""
        page = "core_tables_cache_changelist" if self.has_view_or_change_permission(request) else "index"
        return reverse(f"admin:{page}", current_app=self.admin_site.name)

    def _demand(self, allowed: bool) -> None:
        if not allowed:
            raise PermissionDenied

    def _log(self, request: HttpRequest, name: str, message: str, *, object_id: str = "") -> None:
        user: Any = request.user
        LogEntry.objects.create(
            user=user,
            content_type=ContentType.objects.get_for_model(Cache),
            object_id=object_id,
            object_repr=name[:200],
            action_flag=DELETION,
            change_message=message,
        )


def _value(entry: Any) -> Any:
    """Return an entry's value for people; a pickle is never opened."""
    if entry.pickled is not None:
        return pickled_text(entry.pickled)
    rows = Cache.objects.filter(agent=entry.agent_id, key=entry.key)
    if entry.stored <= SHOWN:
        return as_json(rows.values_list("value", flat=True).first())
    text = rows.annotate(text=beginning("value", LONGEST)).values_list("text", flat=True).first()
    return f"Too large to be shown. Its beginning: {text}"


def _agent(key: str) -> Agent | None:
    try:
        return Agent.objects.only("name").filter(pk=UUID(key)).first()
    except ValueError:
        return None
