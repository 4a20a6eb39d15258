"""The tasks of the demo: one in each state that there is."""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from core_tables.demo.material import Chore
from core_tables.demo.places import Hall, Setting
from core_tables.demo.seed import Dice
from core_tables.models import Task

SECOND = datetime.timedelta(seconds=1)
MINUTE = datetime.timedelta(minutes=1)
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)
WORKERS = ("attic:4711", "attic:4712", "cellar:903")
ALL = 5  # attempts


def tasks(setting: Setting) -> Iterator[Task]:
    """Yield the tasks of an agent."""
    dice = setting.seed.dice(setting.part.key, "tasks")
    for number, (state, fields) in enumerate(_states(setting, dice)):
        chore = setting.part.chores[number % len(setting.part.chores)]
        yield _task(setting, dice.choice(setting.halls), chore, state, fields)


def _states(setting: Setting, dice: Dice) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a name for each state, and the fields that make it; {error} is what went wrong."""
    now = setting.now
    claimed = {"attempts": 1, "worker": dice.choice(WORKERS), "lease": setting.seed.id(setting.part.key, "lease")}
    over = {"attempts": 1, "worker": dice.choice(WORKERS)}
    yield "due", {"run_at": now - 10 * SECOND}
    yield "overdue", {"run_at": now - 3 * HOUR}
    yield "later", {"run_at": now + 2 * HOUR}
    yield "next week", {"run_at": now + 6 * DAY}
    yield "running", {**claimed, "status": "running", **_span(now - MINUTE), "locked_until": now + 10 * MINUTE}
    yield "left", {**claimed, "status": "running", **_span(now - 40 * MINUTE), "locked_until": now - 35 * MINUTE}
    tried = {"attempts": 2, "started_at": now - MINUTE, "worker": WORKERS[0], "last_error": "{error}"}
    yield "again", {**tried, "run_at": now + 4 * MINUTE}
    yield "failed", {**over, "attempts": ALL, "status": "failed", **_span(now - DAY, 9), "last_error": "{error}"}
    yield "spent", {**over, "attempts": ALL, "status": "failed", **_span(now - 5 * HOUR, 70), "last_error": "{error}"}
    for number in range(1, 5):
        result = {"result": {"sent": dice.randint(1, 9)}}
        yield f"done {number}", {**over, "status": "done", **_span(now - number * 7 * HOUR, 3), "metadata": result}
    yield "cancelled", {"status": "cancelled", "run_at": now - DAY, "finished_at": now - DAY + HOUR}
    yield "hourly", {"every": HOUR, "run_at": now + 20 * MINUTE, "finished_at": now - 40 * MINUTE}
    yield "daily", {"every": DAY, "run_at": now + 7 * HOUR, "last_error": "{error}"}
    yield "another program's", {"tags": ["queue", "repeat"], "metadata": {"updateInterval": 60_000}}


def _span(started: datetime.datetime, seconds: int | None = None) -> Mapping[str, datetime.datetime]:
    found = {"run_at": started - SECOND, "started_at": started}
    return found if seconds is None else {**found, "finished_at": started + seconds * SECOND}


def _task(setting: Setting, hall: Hall, chore: Chore, state: str, fields: Mapping[str, Any]) -> Task:
    values = {"metadata": {"room": hall.place.name}, "tags": [hall.place.source, "demo"], **fields}
    if "last_error" in values:
        values["last_error"] = values["last_error"].format(error=_trace(chore))
    if "every" in values:
        values["first_at"] = values["run_at"] - 30 * values["every"]
    written = (values.get("first_at") or values.get("started_at") or setting.now) - HOUR
    return Task(
        pk=setting.seed.id(setting.part.key, "task", state),
        name=chore.name,
        description=chore.description,
        agent=setting.agent,
        room_id=hall.room.pk,
        world_id=setting.world.pk,
        created_at=min(written, values.get("run_at") or written),
        **values,
    )


def _trace(chore: Chore) -> str:
    function = chore.name.replace("-", "_")
    return f'Traceback (most recent call last):\n  File "agent_tasks.py", line 41, in {function}\n{chore.error}'
