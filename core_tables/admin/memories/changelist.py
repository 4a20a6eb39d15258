"""The list of memories: a search that knows three ways, and pages that load no more than they show."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core_tables.admin.filters import AgentFilter, EmbeddingFilter, EntityFilter, ExpiryFilter, RoomFilter, TypeFilter
from core_tables.admin.links import narrowing
from core_tables.admin.memories import embedding, rows
from core_tables.admin.memories.search import FOUND, MEASURE, By, found
from core_tables.admin.reach import veiled
from core_tables.admin.shown import brief
from core_tables.admin.stepped_list import full_count

BY_VAR = "by"
NAME = 60  # characters
LABELS = {By.TEXT: "words", By.MEANING: "meaning", By.BOTH: "both"}


class MemoryChangeList(ChangeList):
    """A list that finds its page by ids alone, and then loads what that page shows."""

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.by = By.of(request.GET.get(BY_VAR))
        super().__init__(request, *args)
        # The form of the search repeats all of these as hidden fields; this one has a field of its own.
        self.params.pop(BY_VAR, None)

    @property
    def ways(self) -> list[tuple[str, str]]:
        """What a search may go by, for the control beside its box."""
        return [(by.value, LABELS[by]) for by in (By if embedding.is_configured() else [By.TEXT])]

    def get_filters_params(self, params: Any = None) -> Any:
        found_params = super().get_filters_params(params)
        found_params.pop(BY_VAR, None)
        return found_params

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().get_queryset(request, *args, **kwargs).defer("content", "metadata")

    def get_ordering_field_columns(self) -> Any:
        # The order of a search is that of no column, unless somebody asks for one.
        own_order = self.query and ORDER_VAR not in self.params
        return {} if own_order else super().get_ordering_field_columns()

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = full_count(self)
        page = list(self.result_list.values_list("pk", flat=True))
        self.result_list = veiled(request, rows.listed(self.queryset.filter(pk__in=page)))
        for memory in self.result_list:
            # Its name, on the box to choose it by, would load the whole content.
            memory.content = {"text": memory.words}


class MemoryList(admin.ModelAdmin):  # type: ignore[type-arg]
    """What an admin of memories shows in its list."""

    list_filter = (
        AgentFilter,
        TypeFilter,
        RoomFilter,
        EntityFilter,
        ("created_at", admin.DateFieldListFilter),
        ExpiryFilter,
        EmbeddingFilter,
    )
    list_select_related = ("agent", "room", "entity")
    ordering = ("-created_at",)
    # Django shows no box without it; get_search_results() goes its own way.
    search_fields = ("content",)
    search_help_text = f"Finds the best {FOUND}, or the memory that has this id."

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return MemoryChangeList

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = ["text", "kind", "agent_name", "room_name", "entity_name", "created_at", "widths"]
        if request.GET.get("q"):
            columns.insert(1, MEASURE[By.of(request.GET.get(BY_VAR))])
        return columns

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term.strip():
            return queryset, False
        by = By.of(request.GET.get(BY_VAR))
        try:
            results = found(queryset, search_term, by)
        except embedding.FAILURES as error:
            messages.error(request, embedding.told(error))
            return queryset.none(), False
        # A click on a column's head puts the results in another order.
        ordered = results.order_by(*queryset.query.order_by) if request.GET.get(ORDER_VAR) else results
        return ordered, False

    @admin.display(description="text")
    def text(self, memory: Any) -> str:
        return rows.line(memory)

    @admin.display(description="type")
    def kind(self, memory: Any) -> str:
        return brief(memory.type, NAME)

    @admin.display(description="agent")
    def agent_name(self, memory: Any) -> SafeString | str:
        return narrowing("agent", memory.agent)

    @admin.display(description="room")
    def room_name(self, memory: Any) -> SafeString | str:
        return narrowing("room", memory.room)

    @admin.display(description="entity")
    def entity_name(self, memory: Any) -> SafeString | str:
        return narrowing("entity", memory.entity)

    @admin.display(description="embedding", empty_value="none")
    def widths(self, memory: Any) -> str | None:
        return rows.vectors(memory) or None

    @admin.display(description="rank")
    def rank(self, memory: Any) -> str | None:
        return _measured(memory)

    @admin.display(description="similarity")
    def similarity(self, memory: Any) -> str | None:
        return _measured(memory)

    @admin.display(description="score")
    def score(self, memory: Any) -> str | None:
        return _measured(memory)


def _measured(memory: Any) -> str | None:
    fit = getattr(memory, "fit", None)
    return None if fit is None else f"{fit:.4f}"
