"""What the dashboard tells of an agent's memories: how many a day, and what vectors they have."""

import datetime
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connections

from core_tables.admin.bounded import Amount, compiled, estimates, steady
from core_tables.admin.moments import settled, today
from core_tables.embeddings.widths import column_for, widths
from core_tables.models import Agent, Embedding, Memory

if TYPE_CHECKING:
    from core_tables.querysets.memories import MemoryQuerySet

DAYS = 30
# The newest memories that are counted one by one; the days before them are estimated.
COUNTED = 20_000
# The oldest and as many of the newest memories: a change of the embedding model shows in one or the other.
SAMPLED = 5_000

A_DAY = "SELECT width_bucket(created_at, %s::timestamptz[]), count(*) FROM ({}) AS newest GROUP BY 1"
VECTORS = """
SELECT count(*), count(*) FILTER (WHERE vectors.any IS NOT TRUE), {counts}
  FROM (({newest}) UNION ({oldest})) AS sample
  LEFT JOIN LATERAL (SELECT {any} AS any, {each} FROM {table} WHERE memory_id = sample.id LIMIT 1) AS vectors ON true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    date: datetime.date
    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """What a sample of an agent's memories has: the oldest and the newest.

    without: those that have no vector.
    widths: {width: those that have a vector of it}, but not those that none has.
    """

    sampled: int
    without: int
    widths: dict[int, int]

    def scaled(self, total: Amount) -> Iterator[tuple[int, Amount]]:
        """Yield each width and how many of all the agent's memories may have it."""
        for width, count in self.widths.items():
            share = count / self.sampled
            about = None if self.is_all(total) else int(share * total.likely)
            yield width, Amount(counted=count, about=about)

    def is_all(self, total: Amount) -> bool:
        """Whether every memory is in the sample."""
        return total.about is None and total.counted <= self.sampled


def newest_first(agent: Any) -> "MemoryQuerySet":
    """Return an agent's memories, the newest first, in a way that one index alone can serve.

    With `agent = ...` the planner may as well walk back through everybody's memories until it meets one of the agent:
    for an agent that has none, through all of them.
    """
    return Memory.objects.filter(agent__gte=agent, agent__lte=agent).order_by("-agent_id", "-created_at")


def by_day(agent: Agent) -> list[Day]:
    """Return how many memories the agent has of each of the last DAYS days, in the current time zone."""
    using = Memory.objects.db
    last = today()
    dates = [last - datetime.timedelta(days=back) for back in range(DAYS - 1, -2, -1)]
    starts = [settled(datetime.datetime.combine(date, datetime.time.min)) for date in dates]
    newest = newest_first(agent).between(starts[0], starts[-1])
    sql, params = compiled(newest.values("created_at")[: COUNTED + 1], using)
    with steady(using), connections[using].cursor() as cursor:
        cursor.execute(A_DAY.format(sql), [starts, *params])
        seen = dict(cursor.fetchall())
    memories = Memory.objects.filter(agent=agent)
    guesses = estimates([memories.between(*span) for span in itertools.pairwise(starts)], using)
    # Of the earliest day that was reached, a part may be missing, and all of those before it.
    partial = min(seen) if sum(seen.values()) > COUNTED else 0
    return [
        Day(date=date, amount=Amount(counted=seen.get(place, 0), about=guess if place <= partial else None))
        for place, (date, guess) in enumerate(zip(dates[:-1], guesses, strict=True), start=1)
    ]


def vectors(agent: Agent) -> Vectors:
    """Look at what vectors the agent's memories have; no vector is read."""
    using = Memory.objects.db
    rows = newest_first(agent).values("id")
    newest, newest_params = compiled(rows[:SAMPLED], using)
    oldest, oldest_params = compiled(rows.order_by("agent_id", "created_at")[:SAMPLED], using)
    quote = connections[using].ops.quote_name
    columns = [quote(str(column_for(width).column)) for width in widths()]
    sql = VECTORS.format(
        counts=", ".join(f"count(*) FILTER (WHERE vectors.{column})" for column in columns),
        newest=newest,
        oldest=oldest,
        any=" OR ".join(f"{column} IS NOT NULL" for column in columns),
        each=", ".join(f"{column} IS NOT NULL AS {column}" for column in columns),
        table=quote(Embedding._meta.db_table),
    )
    with steady(using), connections[using].cursor() as cursor:
        cursor.execute(sql, [*newest_params, *oldest_params])
        sampled, without, *counts = cursor.fetchone()
    found = {width: count for width, count in zip(widths(), counts, strict=True) if count}
    return Vectors(sampled=sampled, without=without, widths=found)
