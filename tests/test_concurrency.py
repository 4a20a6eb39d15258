"""Several processes at once: each ends well, the schema is right, and no error reaches a screen."""

import os
import re
import subprocess
import sys

import pytest
from django.db import connection

from tests.crowd import CHECKSUM, LOSSES, ROOT, ROWS, Ended, crowd, environment, invalid, schema_of, session
from tests.oracle import differences

PROCESSES = 8
ROUNDS = int(os.environ.get("AGENTSQL_ROUNDS", "2"))
WAITING = re.compile(
    r"Another automigrate run holds the lock|The index .* is being built by backend|.* waits for backend"
)
pytestmark = pytest.mark.extension("vector")


@pytest.fixture(scope="module")
def make_database(django_db_setup, django_db_blocker):
    """Make databases on the session's server, empty or as copies of others."""
    names = []

    def make(purpose, template="template1"):
        name = f"{purpose}_{os.getpid()}"
        names.append(name)
        with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return connection.get_connection_params() | {"dbname": name}

    yield make
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        for name in set(names):
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="module", params=["empty", "populated"])
def pending(request, make_database):
    """A database to copy, what a lone run makes of it, and its rows' checksum."""
    origin = make_database("origin")
    if request.param == "populated":
        assert [ended.code for ended in crowd(origin, 1)] == [0]
        with session(origin) as direct:
            for sql in (ROWS, LOSSES):
                direct.execute(sql)
    alone = make_database("alone", origin["dbname"])
    (lone,) = crowd(alone, 1)
    assert (lone.code, lone.error) == (0, "")
    return origin["dbname"], schema_of(alone), checksum(alone)


def checksum(params):
    with session(params) as direct:
        return direct.execute(CHECKSUM).fetchone()


def start(params, *args):
    """Start `manage.py automigrate` on a database, as a deployment would."""
    return subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "automigrate", *args],
        env=environment(params),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def trouble(results):
    """Return what survivors said on stderr, other than whom they wait for."""
    lines = [line for ended in results if ended.code != -9 for line in ended.error.splitlines()]
    return [line for line in lines if not WAITING.match(line)]


@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize(("count", "doomed"), [(8, 0), (32, 0), (8, 4), (32, 16)])
def test_many_processes(make_database, pending, count, doomed, round_):
    origin, expected, rows = pending
    params = make_database("crowd", origin)

    results = crowd(params, count, doomed=doomed)

    assert {ended.code for ended in results} <= ({0, -9} if doomed else {0}), results
    assert trouble(results) == []
    assert sum(ended.code == 0 for ended in results) >= count - doomed
    if not doomed:
        assert sum("Nothing to do" in ended.output for ended in results) == count - 1
    assert differences(expected, schema_of(params)) == []
    assert checksum(params) == rows
    assert invalid(params) == []
    (again,) = crowd(params, 1)
    assert again.code == 0
    assert "Nothing to do" in again.output


def test_eight_commands_on_an_empty_database(make_database):
    params = make_database("commands")
    processes = [start(params) for _ in range(PROCESSES)]
    screens = [process.communicate(timeout=120) for process in processes]
    results = [Ended(process.returncode, *screen) for process, screen in zip(processes, screens, strict=True)]

    assert [ended.code for ended in results] == [0] * PROCESSES, results
    assert trouble(results) == []
    assert sum("Nothing to do" in ended.output for ended in results) == PROCESSES - 1
    assert len(schema_of(params)) > 13


def test_a_dropped_index_comes_back_alone(make_database):
    params = make_database("mended")
    assert start(params).communicate()[1] == ""
    before = schema_of(params)
    with session(params) as direct:
        direct.execute("DROP INDEX memories_room_created_idx")

    process = start(params)
    output, _ = process.communicate()

    assert process.returncode == 0
    assert [line.split()[2] for line in output.splitlines() if "+" in line] == ["memories_room_created_idx"]
    assert "1 index in" in output
    assert schema_of(params) == before
