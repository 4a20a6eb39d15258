"""What needs several connections, or another kind of them."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, connections
from django.db.models import F
from django.db.models.functions import Now

from core_tables.exceptions import LeaseLost
from core_tables.models import Task

pytestmark = pytest.mark.usefixtures("committed_store")

HOUR = timedelta(hours=1)
THREADS = 16


def at_once(function):
    """Call a function in 16 threads at the same moment, and return what it returned in each."""
    ready = Barrier(THREADS)

    def call(number):
        try:
            connection.ensure_connection()
            ready.wait()
            return function(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, range(THREADS)))


def claimed(**options):
    (task,) = Task.objects.claim(**options)
    return task


def test_sixteen_threads_never_get_the_same_task(agent):
    tasks = [Task.objects.schedule("a", agent=agent) for _ in range(100)]

    def take_all(number):
        mine = []
        while found := Task.objects.claim(3, worker=str(number)):
            mine += [task.pk for task in found]
        return mine

    found = Counter(pk for mine in at_once(take_all) for pk in mine)
    assert found == Counter(task.pk for task in tasks)
    assert set(Task.objects.values_list("attempts", flat=True)) == {1}


def test_sixteen_threads_never_take_up_the_same_lapsed_task(agent):
    for _ in range(20):
        Task.objects.schedule("a", agent=agent)
    Task.objects.claim(20)
    Task.objects.update(locked_until=Now() - HOUR)
    found = at_once(lambda _: [task.lease for task in Task.objects.claim(2)])
    assert sum(map(len, found)) == len({lease for mine in found for lease in mine}) == 20
    assert set(Task.objects.values_list("attempts", flat=True)) == {2}


def test_of_sixteen_endings_one_counts(agent):
    Task.objects.schedule("a", agent=agent)
    task = claimed()

    def end(number):
        copy = Task.objects.get(pk=task.pk)
        copy.lease = task.lease
        try:
            (Task.objects.complete, Task.objects.release)[number % 2](copy)
        except LeaseLost:
            return 0
        return 1

    assert sum(at_once(end)) == 1


def test_sixteen_starts_schedule_one_task(agent):
    made = at_once(lambda _: Task.objects.get_or_schedule("a", agent=agent, every=HOUR)[1])
    assert sum(made) == Task.objects.count() == 1


def test_a_claim_waits_for_no_locked_row(agent):
    Task.objects.schedule("locked", agent=agent, at=-HOUR)
    free = Task.objects.schedule("free", agent=agent)
    other = connection.copy()
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM tasks WHERE name = 'locked' FOR UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        assert Task.objects.claim(9) == [free]
    finally:
        other.rollback()
        other.close()


@pytest.fixture
def server_side(monkeypatch):
    """A connection whose server, not psycopg, puts parameters into statements."""
    connection.close()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "server_side_binding", True)
    vars(connection.features).pop("uses_server_side_binding", None)
    yield
    vars(connection.features).pop("uses_server_side_binding", None)


def test_every_statement_passes_with_parameters_bound_by_the_server(server_side, agent):
    Task.objects.schedule("summarise", agent=agent, every=HOUR)
    assert connection.features.uses_server_side_binding
    task = claimed(names=["summarise", "x*"], agents=[agent], tags=[], worker="web-1")
    Task.objects.extend(task)
    Task.objects.fail(task, "down", after=timedelta(0), note={"a": 1})
    Task.objects.complete(claimed(), {"b": 2})
    Task.objects.update(run_at=F("run_at") - HOUR)
    Task.objects.release(claimed())
    assert Task.objects.expire() == []
    assert Task.objects.cancel_all() == 1
    assert Task.objects.failed().retry_all() == 0
    assert Task.objects.retry_all() == 1
    assert not Task.objects.get_or_schedule("summarise", agent=agent)[1]
