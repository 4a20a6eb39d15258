"""How the list of log entries is narrowed."""

import datetime
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models.fields.json import KeyTextTransform
from django.http import HttpRequest
from django.utils import timezone

from core_tables.admin.filters import BoundedFilter

DAY, ANY = "day", "any"
SPANS = {
    "hour": ("the last hour", datetime.timedelta(hours=1)),
    DAY: ("the last 24 hours", datetime.timedelta(days=1)),
    "week": ("the last 7 days", datetime.timedelta(days=7)),
    "month": ("the last 30 days", datetime.timedelta(days=30)),
    ANY: ("any time", None),
}


class RunFilter(BoundedFilter):
    """The entries of one run; links lead there."""

    title, parameter_name = "run", "run"

    def value(self) -> str | None:
        value = super().value()
        return None if value is None else str(value).replace("\0", "")

    def offered(self, *_: Any) -> Iterable[tuple[Any, str]]:
        return ()

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        run = self.value()
        if run is None:
            return queryset
        # The index of runs has the first condition.
        return queryset.filter(body__has_key="runId").alias(_run=KeyTextTransform("runId", "body")).filter(_run=run)


class TimeFilter(BoundedFilter):
    """Choose by age: the last 24 hours unless another span is chosen; a run is shown whole."""

    title, parameter_name = "time", "time"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.default = ANY if request.GET.get(str(RunFilter.parameter_name)) else DAY
        super().__init__(request, *args)

    def value(self) -> str:
        chosen = super().value()
        return chosen if chosen in SPANS else self.default

    def offered(self, *_: Any) -> Iterable[tuple[Any, str]]:
        return [(name, label) for name, (label, _) in SPANS.items()]

    def choices(self, changelist: Any) -> Iterator[Any]:
        # Django puts "All" before them.
        yield from list(super().choices(changelist))[1:]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        span = SPANS[self.value()][1]
        return queryset if span is None else queryset.between(timezone.now() - span)
