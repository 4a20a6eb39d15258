"""The recall debugger: why a search finds what it finds, arm by arm."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path

from core_tables.admin.memories.recall_form import RecallForm
from core_tables.admin.memories.rows import line, listed
from core_tables.admin.reach import veiled
from core_tables.models import Memory
from core_tables.search.explanation import Explanation
from core_tables.search.hybrid import TEXT, VECTOR, Arm

TEMPLATE = "admin/core_tables/memory/recall.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A memory that a search found.

    place, score: in the common order; None where it did not get that far.
    vector, words: its rank in each arm, with the similarity or the text rank; None where that arm did not find it.
    """

    memory: Any
    text: str
    place: int | None
    score: float | None
    vector: tuple[int, float] | None
    words: tuple[int, float] | None


class RecallDebugger(admin.ModelAdmin):  # type: ignore[type-arg]
    """A page of the memories' admin that searches as an agent does, and shows how."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.recall_view)
        return [path("recall/", view, name="core_tables_memory_recall"), *super().get_urls()]

    def recall_view(self, request: HttpRequest) -> HttpResponse:
        """Show the form and, where it was sent, what came of it.

        Raises:
            PermissionDenied: for whoever may not see memories.
        """
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        form = RecallForm(request, self.admin_site)
        context = {
            **self.admin_site.each_context(request),
            "title": "Recall debugger",
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
        }
        if form.is_valid():
            explanation = Memory.objects.explain_search(**form.asked())
            context |= {"explanation": explanation, "arms": _arms(explanation), "lines": _lines(request, explanation)}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, TEMPLATE, context)


def _arms(explanation: Explanation) -> list[tuple[Arm, int, float]]:
    """Return each arm with the rows that it looked at and its milliseconds."""
    return [(arm, explanation.considered[arm.name], 1000 * arm.seconds) for arm in explanation.arms]


def _lines(request: HttpRequest, explanation: Explanation) -> list[Line]:
    """Return the common order, and after it what an arm alone would have had among so many."""
    scores = {one.id: one.score for one in explanation.order}
    depth = len(explanation.order)
    ranks = {arm.name: _ranked(arm) for arm in explanation.arms}
    first = [key for found in ranks.values() for key, (rank, _) in found.items() if rank <= depth]
    every = list(dict.fromkeys([*scores, *first]))
    found = veiled(request, listed(Memory.objects.filter(pk__in=every)))
    memories = {memory.pk: memory for memory in found}
    return [
        Line(
            memory=memories[key],
            text=line(memories[key]),
            place=place if key in scores else None,
            score=scores.get(key),
            vector=ranks.get(VECTOR, {}).get(key),
            words=ranks.get(TEXT, {}).get(key),
        )
        for place, key in enumerate(every, start=1)
        if key in memories
    ]


def _ranked(arm: Arm) -> dict[Any, tuple[int, float]]:
    return {hit.id: (rank, hit.value) for rank, hit in enumerate(arm.hits, start=1)}
