"""Runs: what an agent did from one message or timer on, told by the log entries that share its id.

A run begins and ends with entries of type run_event, whose body has `runId` and `status`; actions, evaluators,
model calls and embeddings in between carry the same `runId`.
"""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import models
from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

if TYPE_CHECKING:
    from core_tables.models import Log

EVENT = Q(type="run_event")
ENDED = EVENT & Q(_status__in=("completed", "timeout", "error"))
FAILED = Q(type="action", body__result__success=False) | Q(type="embedding_event", _status="failed")

# JSON has numbers that no float holds, and in the order of jsonb what is no number is before or after them all:
# an entry that says anything else counts as none.
COUNTED = Q(type="action", body__promptCount__gte=0, body__promptCount__lte=1_000_000)

# The run events to look at for each run that is asked for: two are usual, retries have more.
EVENTS_A_RUN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of one run.

    status: started, completed, timeout or error; when it ended more than once, the last of these.
    started, ended: None where the log does not say so.
    message_id: the message or memory that the run answers, as the log has it.
    model_calls: those logged on their own and those that actions say they made.
    errors: actions that failed, and embeddings that did.
    """

    id: str
    status: str
    started: datetime.datetime | None
    ended: datetime.datetime | None
    room_id: UUID
    entity_id: UUID
    message_id: str | None
    actions: int
    evaluators: int
    model_calls: int
    errors: int

    @property
    def seconds(self) -> float | None:
        """How long it took, or None for a run that has not ended."""
        if self.started is None or self.ended is None:
            return None
        return max((self.ended - self.started).total_seconds(), 0.0)


def summaries(events: "QuerySet[Log]", entries: "QuerySet[Log]", *, status: str | None, limit: int) -> Iterator[Run]:
    """Yield the runs that the newest of some run events belong to, counted over all `entries`. One query."""
    run = KeyTextTransform("runId", "body")
    recent = events.filter(EVENT, body__has_key="runId").order_by("-created_at").values_list(run)
    prompts = Cast(KeyTextTransform("promptCount", "body"), models.FloatField())
    found = (
        # The index of runs has the first condition.
        entries.filter(body__has_key="runId")
        .alias(_status=KeyTextTransform("status", "body"))
        .annotate(run=run)
        .filter(run__in=recent[: max(limit, 10) * EVENTS_A_RUN])
        .order_by()
        .values("run")
        .annotate(
            started=Min("created_at", filter=EVENT & Q(_status="started")),
            ended=Max("created_at", filter=ENDED),
            ends=ArrayAgg("_status", filter=ENDED, order_by="-created_at"),
            rooms=ArrayAgg("room_id", filter=EVENT, order_by="created_at"),
            entities=ArrayAgg("entity_id", filter=EVENT, order_by="created_at"),
            message=Max(KeyTextTransform("messageId", "body"), filter=EVENT),
            actions=Count("pk", filter=Q(type="action")),
            evaluators=Count("pk", filter=Q(type="evaluator")),
            models=Count("pk", filter=Q(type__startswith="useModel:")),
            prompts=Coalesce(Sum(prompts, filter=COUNTED), 0.0),
            errors=Count("pk", filter=FAILED),
            state=Coalesce(F("ends__0"), Value("started"), output_field=models.TextField()),
        )
    )
    if status is not None:
        found = found.filter(state=status)
    for row in found.order_by(F("started").desc(nulls_last=True), "run")[:limit]:
        yield _run(row)


def _run(row: Mapping[str, Any]) -> Run:
    return Run(
        id=row["run"],
        status=row["state"],
        started=row["started"],
        ended=row["ended"],
        room_id=row["rooms"][0],
        entity_id=row["entities"][0],
        message_id=row["message"],
        actions=row["actions"],
        evaluators=row["evaluators"],
        model_calls=row["models"] + int(row["prompts"]),
        errors=row["errors"],
    )
