"""Several processes at once: each ends well, the schema is right, and no error reaches a screen."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
import pytest
from django.db import connection

from tests.oracle import differences, fingerprint

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = 8
ROUNDS = int(os.environ.get("AGENTSQL_ROUNDS", "20"))
pytestmark = pytest.mark.extension("vector")


@pytest.fixture
def make_database(database):
    names = []

    def make(name):
        names.append(name)
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name}")
        return connection.get_connection_params() | {"dbname": name}

    yield make
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def start(params, *args):
    """Start `manage.py automigrate` on a database, as a deployment would."""
    host = {key: params[key] for key in ("host", "port") if params.get(key)}
    user = quote(params.get("user") or "postgres", safe="")
    password = f":{quote(params['password'], safe='')}" if params.get("password") else ""
    url = f"postgres://{user}{password}@/{params['dbname']}?{urlencode(host, quote_via=quote)}"
    return subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "automigrate", *args],
        env=os.environ | {"DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def schema_of(params):
    keys = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{key: params[key] for key in keys if params.get(key)}) as session:
        return fingerprint(session.cursor())


def test_many_processes_start_on_an_empty_database(make_database):
    alone = make_database("alone")
    process = start(alone)
    assert (process.communicate()[1], process.returncode) == ("", 0)
    expected = schema_of(alone)
    assert len(expected) > 13

    for number in range(ROUNDS):
        params = make_database(f"crowd_{number}")
        crowd = [start(params) for _ in range(PROCESSES)]
        results = [(process.communicate(timeout=120), process.returncode) for process in crowd]

        assert [code for _, code in results] == [0] * PROCESSES, results
        screens = [line for (_, error), _ in results for line in error.splitlines()]
        assert [line for line in screens if not line.startswith("Another automigrate run holds the lock")] == []
        assert sum("Nothing to do" in output for (output, _), _ in results) == PROCESSES - 1
        assert differences(expected, schema_of(params)) == []


def test_a_dropped_index_comes_back_alone(make_database):
    params = make_database("mended")
    assert start(params).communicate()[1] == ""
    before = schema_of(params)
    keys = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{key: params[key] for key in keys if params.get(key)}) as session:
        session.execute("DROP INDEX memories_room_created_idx")

    process = start(params)
    output, _ = process.communicate()

    assert process.returncode == 0
    assert [line.split()[2] for line in output.splitlines() if "+" in line] == ["memories_room_created_idx"]
    assert "1 index in" in output
    assert schema_of(params) == before
