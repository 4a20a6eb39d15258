"""The cache of agents: its entries, to be read and deleted."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from core_tables.admin.base import RecordAdmin
from core_tables.admin.cache import rows as cache_rows
from core_tables.admin.cache.pages import CachePages
from core_tables.admin.filters import AgentFilter, ExpiryFilter
from core_tables.admin.links import narrowing
from core_tables.admin.shown import brief
from core_tables.admin.stepped_list import SteppedList
from core_tables.models import Cache

NAME = 60  # characters
# Keys that a search by prefix looks at.
SEARCHED = 20_000


class CacheList(SteppedList):
    """A list whose links name a row by both parts of its key."""

    def url_for_result(self, result: Any) -> str:
        site: Any = self.model_admin.admin_site
        return reverse("admin:core_tables_cache_change", args=[cache_rows.address_of(result)], current_app=site.name)


class CacheAdmin(CachePages, RecordAdmin):
    """What agents keep. Their programs change it, nobody here."""

    actions = None
    list_display = ("name", "agent_name", "expires", "size", "gist")
    list_filter = (AgentFilter, ExpiryFilter)
    list_select_related = ("agent",)
    readonly_fields = ()
    sortable_by = ()
    # Django shows no box without it; get_search_results() goes its own way.
    search_fields = ("key",)
    search_help_text = (
        f"The beginning of a key, looked for among the {SEARCHED:,} keys from there on in the database's order."
    )

    class Media:
        css = {"all": ["core_tables/cells.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        allowed = {"has_delete_permission": self.has_delete_permission(request)}
        return super().changelist_view(request, {**(extra_context or {}), **allowed})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return CacheList

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # Each by an index.
        return ("expires_at",) if request.GET.get("expiry") == "expired" else ("key", "agent_id")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:  # noqa: ARG002
        if not search_term:
            return queryset, False
        # Only some collations have all keys of a prefix together in the index, so that LIKE could go by it.
        following = Cache.objects.filter(key__gte=search_term).order_by("key", "agent_id").values_list("key", flat=True)
        last = list(following[SEARCHED : SEARCHED + 1])
        near = queryset.filter(key__gte=search_term, key__startswith=search_term)
        return (near.filter(key__lte=last[0]) if last else near), False

    def listed(self, rows: Any) -> Any:
        return cache_rows.listed(rows)

    @admin.display(description="key")
    def name(self, entry: Cache) -> str:
        return brief(entry.key, NAME) or "(blank)"

    @admin.display(description="agent")
    def agent_name(self, entry: Cache) -> SafeString | str:
        return narrowing("agent", entry.agent, NAME)

    @admin.display(description="expires", empty_value="never")
    def expires(self, entry: Cache) -> Any:
        return entry.expires_at

    @admin.display(description="size")
    def size(self, entry: Cache) -> str:
        return cache_rows.size_of(entry)

    @admin.display(description="value")
    def gist(self, entry: Cache) -> str:
        return cache_rows.line(entry)


# register() refuses a key of two parts, since the pages of a ModelAdmin can't address a row by it: this one's can.
admin.site._registry[Cache] = CacheAdmin(Cache, admin.site)
