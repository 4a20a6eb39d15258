"""The runs of agents, as their log entries tell of them."""

import datetime
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path

from core_tables.admin.bounded import steady
from core_tables.admin.moments import settled
from core_tables.admin.reach import RowId, may_view
from core_tables.admin.shown import brief
from core_tables.models import Entity, Log, Room
from core_tables.querysets.runs import Run

TEMPLATE = "admin/core_tables/log/runs.html"
SHOWN = 50
NAME = 40  # characters
STATUSES = ("started", "completed", "timeout", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A run, with the names of where and for whom it was."""

    run: Run
    room: str
    entity: str


class RunForm(forms.Form):
    """Which runs: read from the address."""

    status = forms.ChoiceField(choices=[("", "any"), *((one, one) for one in STATUSES)], required=False)
    agent = forms.UUIDField(required=False)
    room = forms.UUIDField(required=False)
    before = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest, site: Any) -> None:
        super().__init__(request.GET)
        for name in ("agent", "room"):
            self.fields[name].widget = RowId(Log._meta.get_field(name), site, request)

    def clean_before(self) -> Any:
        before = self.cleaned_data["before"]
        try:
            return before and settled(before)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def runs(self) -> list[Run]:
        """Return the newest runs that fit; none where the form has errors."""
        if not self.is_valid():
            return []
        found = self.cleaned_data
        entries = Log.objects.between(end=found["before"])
        chosen = {name: found[name] for name in ("agent", "room") if found[name]}
        # The planner takes the entries of so many runs for a good part of the log, and would read it all.
        with steady(entries.db):
            return entries.filter(**chosen).runs(status=found["status"] or None, limit=SHOWN)


class RunPages(admin.ModelAdmin):  # type: ignore[type-arg]
    """A page of the log's admin."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.runs_view)
        return [path("runs/", view, name="core_tables_log_runs"), *super().get_urls()]

    def runs_view(self, request: HttpRequest) -> HttpResponse:
        """Show the newest runs.

        Raises:
            PermissionDenied: for whoever may not see the log.
        """
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        form = RunForm(request, self.admin_site)
        runs = form.runs()
        context = {
            **self.admin_site.each_context(request),
            "title": "Runs",
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
            "lines": _lines(request, runs),
            "older": _older(request, runs),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, TEMPLATE, context)


def _lines(request: HttpRequest, runs: list[Run]) -> list[Line]:
    places = Room.objects.only("name", "source", "channel_id")
    rooms = places.in_bulk([run.room_id for run in runs]) if may_view(request, Room) else {}
    people = Entity.objects.only("names")
    entities = people.in_bulk([run.entity_id for run in runs]) if may_view(request, Entity) else {}
    return [Line(run=run, room=_name(rooms, run.room_id), entity=_name(entities, run.entity_id)) for run in runs]


def _name(rows: Any, key: Any) -> str:
    return (key in rows and brief(str(rows[key]), NAME)) or str(key)


def _older(request: HttpRequest, runs: list[Run]) -> str:
    """Return the address of the runs before these, "" where there are none."""
    started: datetime.datetime | None = runs[-1].started if len(runs) == SHOWN else None
    if started is None:
        return ""
    query = request.GET.copy()
    query["before"] = started.isoformat()
    return f"?{query.urlencode()}"
