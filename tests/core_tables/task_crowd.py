"""Workers as processes, killed at random, and what their tasks do: a row in `logs` for each attempt.

As a program it sets Django up once, forks `count` workers, kills one after another at random moments and forks another
in its place, until every task is over or it takes too long, and prints what became of it as JSON.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time

from tests.core_tables import store as stores
from tests.crowd import ROOT

PATIENCE = 900
LEASE = 1.0  # seconds
MOMENTS = (0.05, 0.4)  # seconds between two kills


def workers(count, *, kills, options=()):
    """Run so many workers on the tasks of the database that is entered, with so many kills; return the figures."""
    words = [sys.executable, "-m", "tests.core_tables.task_crowd", str(count), str(kills), *options]
    done = subprocess.run(
        words, cwd=ROOT, env=stores.variables(), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _main(count, kills, options):
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    django.setup()
    from django.db import connection

    import core_tables.management.commands.run_agent_tasks  # noqa: F401
    from core_tables.models import Task
    from tests.core_tables.task_worker import register

    register()
    # Of the forks: one that is told to stop before it has begun has nothing to give back.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    started = time.monotonic()
    pids = [_fork(options) for _ in range(count)]
    killed = 0
    while Task.objects.unfinished().exists() and time.monotonic() < started + PATIENCE:
        connection.close()  # a fork must not share it
        time.sleep(random.uniform(*MOMENTS) if killed < kills else 0.05)
        if killed < kills:
            victim = random.choice(pids)
            os.kill(victim, signal.SIGKILL)
            os.waitpid(victim, 0)
            pids[pids.index(victim)] = _fork(options)
            killed += 1
    seconds = time.monotonic() - started
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    print(json.dumps({"killed": killed, "seconds": seconds, "codes": codes}))  # noqa: T201


def _fork(options):
    if pid := os.fork():
        return pid
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is printed is the parent's
    code = 1
    try:
        from django.core.management import call_command

        call_command("run_agent_tasks", *options)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
