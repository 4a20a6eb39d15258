"""Workers killed at random: every task is done, once or visibly more often, and atomic ones count exactly once.

`AGENTSQL_TASKS=10000` is the whole of it, in some minutes.
"""

import os
from collections import Counter

import pytest
from django.utils import timezone

from core_tables.models import Log, Task
from tests.core_tables.task_crowd import LEASE, workers

TASKS = int(os.environ.get("AGENTSQL_TASKS", "200"))
WORKERS = 4
KILLS = max(6, TASKS // 100)


@pytest.mark.usefixtures("committed_store")
def test_killed_workers_lose_nothing_and_repeat_nothing_unseen(agent, room, entity):
    known = {"room": str(room.pk), "entity": str(entity.pk), "seconds": 0.02}
    Task.objects.bulk_create(
        Task(name=name, agent=agent, run_at=timezone.now(), max_attempts=50, metadata=known)
        for name in ("trace", "trace-atomic")
        for _ in range(TASKS // 2)
    )
    told = workers(WORKERS, kills=KILLS, options=[f"--lease={LEASE}", "--poll=0.1", "--concurrency=2"])
    assert told["codes"] == [0] * WORKERS
    assert told["killed"], "it was over before the first kill"
    assert set(Task.objects.values_list("status", flat=True)) == {"done"}
    effects = Counter(Log.objects.values_list("body__task", flat=True))
    for task in Task.objects.all():
        most = 1 if task.name == "trace-atomic" else task.attempts
        assert 1 <= effects[str(task.pk)] <= most
        assert (task.attempts == 1) == (task.last_error is None)
