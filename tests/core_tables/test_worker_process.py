"""The worker as a process: signals, and a database that goes away and comes back."""

import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from django.db import connection

from core_tables.models import Task
from tests.core_tables import store as stores
from tests.crowd import ROOT

pytestmark = pytest.mark.usefixtures("committed_store")

PATIENCE = 15  # seconds
# The threads of other tests keep connections, too.
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND backend_start > %s"


@contextmanager
def worker(*options):
    """Start a worker, and see to it that it ends."""
    words = [sys.executable, "-m", "tests.core_tables.task_worker", "--poll=0.05", "--no-color", *options]
    process = subprocess.Popen(
        words, cwd=ROOT, env=stores.variables(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def nap(agent, seconds):
    return Task.objects.schedule("nap", agent=agent, metadata={"seconds": seconds})


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def ended(process):
    said, trouble = process.communicate(timeout=PATIENCE)
    return process.returncode, said, trouble


def test_a_stop_lets_tasks_finish_and_gives_back_those_that_do_not(agent):
    short, long = nap(agent, 0.5), nap(agent, 60)
    with worker("--concurrency=2", "--grace=1") as process:
        until(lambda: Task.objects.running().count() == 2)
        waiting = nap(agent, 0)
        process.send_signal(signal.SIGTERM)
        code, said, trouble = ended(process)
    assert code == 3
    assert f"Given back: nap {long.pk}." in trouble
    assert "1 done, 0 to be tried again, 0 failed, 0 lost, 1 given back, in " in said
    states = dict(Task.objects.values_list("pk", "status"))
    assert states == {short.pk: "done", long.pk: "pending", waiting.pk: "pending"}


def test_a_second_stop_waits_no_longer(agent):
    nap(agent, 60)
    with worker("--grace=60") as process:
        until(Task.objects.running().exists)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert ended(process)[0] == 3
    assert Task.objects.claim()


def test_a_database_that_restarts_costs_no_task(agent):
    name = connection.settings_dict["NAME"]
    atwork = nap(agent, 0.5)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        start = cursor.fetchone()[0]
    with worker("-v2") as process:
        until(Task.objects.running().exists)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            connection.close()
            cursor.execute(OTHERS, [name, start])
            time.sleep(1.5)
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        after = nap(agent, 0)
        until(lambda: not Task.objects.unfinished().exists())
        process.send_signal(signal.SIGTERM)
        code, said, trouble = ended(process)
    assert code == 0
    assert f"nap {atwork.pk}: done, attempt 1" in said
    assert f"nap {after.pk}: done, attempt 1" in said
    assert trouble.count("The database can't be used (") == trouble.count("The database is back after ") == 1
    assert "Traceback" not in trouble
