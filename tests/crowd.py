"""Many runs at once, as processes: one sets Django up and forks the others, so that 32 starts don't cost 32 imports.

As a program it forks `count` processes that run `manage.py automigrate` at the same moment, kills `doomed` times the
one that works just then, at random moments, and prints what became of each as JSON.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

import psycopg

from tests.oracle import fingerprint

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 180
MOMENTS = 0.2  # seconds between two kills, at most: about what a run takes
KEYS = ("host", "port", "user", "password", "dbname")
ROWS = """
INSERT INTO agents (name) SELECT 'agent ' || g FROM generate_series(1, 20) g;
INSERT INTO busy (n, name, agent_id, flag, token)
SELECT g, 'n' || g, (SELECT id FROM agents WHERE name = 'agent ' || 1 + g % 20), true, gen_random_uuid()
  FROM generate_series(1, 20000) g
"""
LOSSES = """
ALTER TABLE busy DROP COLUMN token, DROP COLUMN flag, DROP CONSTRAINT busy_n_above_0;
ALTER TABLE busy DROP CONSTRAINT busy_n_key;
DROP INDEX busy_name_n;
DO $$
BEGIN
    EXECUTE (SELECT 'ALTER TABLE busy DROP CONSTRAINT ' || quote_ident(conname)
               FROM pg_constraint WHERE conrelid = 'busy'::regclass AND contype = 'f');
END $$;
ALTER TABLE agents DROP COLUMN created_at;
DROP TABLE participants
"""
CHECKSUM = """
SELECT (SELECT md5(string_agg((id, n, name, agent_id)::text, ',' ORDER BY id)) FROM busy),
       (SELECT md5(string_agg((id, name)::text, ',' ORDER BY id)) FROM agents),
       (SELECT count(*) FROM busy), (SELECT count(*) FROM agents)
"""
HOLDER = """
SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()
"""
INVALID = """
SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid
UNION ALL SELECT conname FROM pg_constraint WHERE NOT convalidated OR conname LIKE 'agentsql%'
"""


class Ended(NamedTuple):
    """What became of a run: its exit code, negative by a signal, and what it said."""

    code: int
    output: str
    error: str


def environment(params):
    """Return the variables that lead a process to a database."""
    user = quote(params.get("user") or "postgres", safe="")
    password = f":{quote(params['password'], safe='')}" if params.get("password") else ""
    place = {key: params[key] for key in ("host", "port") if params.get(key)}
    url = f"postgres://{user}{password}@/{params['dbname']}?{urlencode(place, quote_via=quote)}"
    return os.environ | {"DATABASE_URL": url, "PYTHONPATH": str(ROOT)}


def crowd(params, count, *, doomed=0):
    """Start so many runs on a database at once, of which so many are killed at their work."""
    words = [sys.executable, "-m", "tests.crowd", str(count), str(doomed)]
    done = subprocess.run(
        words, cwd=ROOT, env=environment(params), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    return [Ended(*ended) for ended in json.loads(done.stdout)]


def session(params):
    return psycopg.connect(**{key: params[key] for key in KEYS if params.get(key)}, autocommit=True)


def schema_of(params):
    with session(params) as direct:
        return fingerprint(direct.cursor())


def invalid(params):
    with session(params) as direct:
        return direct.execute(INVALID).fetchall()


def declare():
    """Add to the example plugin a model that wants one thing of each kind."""
    from django.db import models
    from django.db.models import Q

    class Busy(models.Model):
        id = models.BigAutoField(primary_key=True)
        n = models.IntegerField(unique=True)
        name = models.CharField(max_length=40, db_index=True)
        agent = models.ForeignKey("core_tables.Agent", models.CASCADE, related_name="+")
        flag = models.BooleanField(default=True)
        token = models.UUIDField(default=uuid.uuid4, unique=True)

        class Meta:
            app_label = "example_plugin"
            db_table = "busy"
            indexes = [models.Index(fields=["name", "-n"], name="busy_name_n")]
            constraints = [models.CheckConstraint(condition=Q(n__gt=0), name="busy_n_above_0")]

        def __str__(self):
            return self.name


def _main(count, doomed):
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    django.setup()
    declare()
    import agentsql.engine
    import agentsql.management.commands.automigrate  # noqa: F401

    ready, go = os.pipe()
    with tempfile.TemporaryDirectory() as place:
        screens = [Path(place) / str(number) for number in range(count)]
        pids = [_fork(screen, ready, go) for screen in screens]
        os.close(ready)
        os.close(go)  # all of them read its end, and start
        _kill(pids, doomed)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        print(json.dumps([[code, *_said(screen)] for code, screen in zip(codes, screens, strict=True)]))  # noqa: T201


def _fork(screen, ready, go):
    if pid := os.fork():
        return pid
    os.close(go)
    os.read(ready, 1)
    os.environ["PGAPPNAME"] = str(os.getpid())  # tells in pg_stat_activity which of us works
    for stream, name in ((1, "output"), (2, "error")):
        os.dup2(os.open(f"{screen}.{name}", os.O_WRONLY | os.O_CREAT), stream)
    code = 1
    try:
        from django.core.management import execute_from_command_line

        execute_from_command_line(["manage.py", "automigrate"])
        code = 0
    except SystemExit as stopped:
        code = stopped.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _kill(pids, doomed):
    alive = list(pids)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=None) as looking:
        for _ in range(doomed):
            time.sleep(random.uniform(0, MOMENTS))
            holders = {int(name) for (name,) in looking.execute(HOLDER) if name.isdigit()} & set(alive)
            victim = next(iter(holders), None) or random.choice(alive)
            alive.remove(victim)
            os.kill(victim, 9)  # one that has ended is not reaped yet, so the number is still its own


def _said(screen):
    files = [Path(f"{screen}.{name}") for name in ("output", "error")]
    return [file.read_text() if file.exists() else "" for file in files]


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
