"""The server itself killed with -9, in a backfill and in an index build: after its recovery the next run goes on."""

import os
import signal
import subprocess
from contextlib import suppress

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from agentsql.backends.embedded.account import find_account, let_reach
from agentsql.backends.embedded.binaries import clean_environment, find_programs
from tests.crash.conftest import PATIENCE, Ground, wait_until

ROWS = 300_000
FILLED = """
SELECT EXISTS (SELECT FROM plug_thing WHERE token IS NOT NULL), EXISTS (SELECT FROM plug_thing WHERE token IS NULL)
"""
BUILDING = """
SELECT count(*) FROM pg_stat_progress_create_index p JOIN pg_class c ON c.oid = p.index_relid
 WHERE c.relname = 'thing_name' AND p.phase LIKE 'building index%'
"""
INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"


class Server:
    """PostgreSQL from the wheel, run by another account when we are root."""

    def __init__(self, place):
        self.place = place
        self.programs = find_programs(18)
        self.account = find_account(place)
        self.account.own(place)
        let_reach(self.account, place / "data")
        let_reach(self.account, self.programs / "postgres")
        self.run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync").wait(PATIENCE)
        self.process = None

    def run(self, program, *options):
        return subprocess.Popen(
            [self.programs / program, "-D", self.place / "data", *options],
            cwd=self.place,
            env=clean_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self.account.popen_arguments,
        )

    def start(self):
        self.process = None
        wait_until(self.answers)

    def answers(self):
        """Tell whether it has started; it can't while processes of a killed one are still ending."""
        if self.process is None or self.process.poll() is not None:
            self.process = self.run("postgres", "-h", "", "-k", self.place)
        with suppress(psycopg.OperationalError), psycopg.connect(host=str(self.place), user="postgres"):
            return True
        return False

    def kill(self):
        """Kill it and all of its processes at once."""
        listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
        pairs = [map(int, line.split()) for line in listing.splitlines()]
        pids = [self.process.pid, *(pid for pid, parent in pairs if parent == self.process.pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


@pytest.fixture
def server(tmp_path_factory):
    try:
        server = Server(tmp_path_factory.mktemp("pg"))
    except ImproperlyConfigured as error:
        pytest.skip(str(error))
    server.start()
    yield server
    server.kill()


def test_server_killed(server, tmp_path):
    ground = Ground({"host": str(server.place), "user": "postgres", "dbname": "postgres"}, tmp_path / "log")
    _, schema = ground.undisturbed(1000)
    data = ground.reset(ROWS)

    def killed_when(sql, *rows):
        ground.start()
        wait_until(lambda: seen(ground, sql) in rows)
        server.kill()
        code, words = ground.end()
        *screen, _ = words.splitlines()
        assert code == 1
        assert len(screen) == 1
        # Both connections are lost: that of the work, and that of the lock, which is looked at now and then.
        assert screen[0].startswith(("The database failed: ", "The connection that held automigrate's lock has died"))
        server.start()
        ground.reconnect()

    killed_when(FILLED, (True, True))
    assert ground.ask(FILLED) == [(True, True)]
    killed_when(BUILDING, (1,))
    assert ground.ask(INVALID) == [("thing_name",)]
    assert ground.heal(data, schema) == []
    ground.close()


def seen(ground, sql):
    """Return the answer, as soon as the column that it asks for is there."""
    with suppress(psycopg.errors.UndefinedColumn):
        return ground.session.execute(sql).fetchone()
    return None
