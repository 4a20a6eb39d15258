"""What Django does with a database works on the embedded server."""

import json
import os
import stat
import subprocess
import sys

import pytest

from tests.backends.conftest import REPOSITORY, is_running

SETTINGS = """
import django
from django.conf import settings
settings.configure(DATABASES={{"default": {{
    "ENGINE": "agentsql.backends.embedded", "NAME": "agentsql", "DATA_DIR": {data_dir!r}}}}})
django.setup()
from django.db import connection
"""

# Each would lead a client of libpq elsewhere.
ELSEWHERE = {
    "PGHOST": "nowhere.invalid",
    "PGHOSTADDR": "192.0.2.1",
    "PGPORT": "1",
    "PGUSER": "nobody",
    "PGDATABASE": "nothing",
    "PGDATA": "/nonexistent",
    "PGTARGETSESSIONATTRS": "standby",
    "PGCHANNELBINDING": "require",
    "PGGSSENCMODE": "require",
    "PGSSLMODE": "verify-full",
}


def run(data_dir, program, **environ):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", SETTINGS.format(data_dir=str(data_dir)) + program],
        check=True,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env=os.environ | environ,
    )


def test_the_environment_leads_nowhere_else(start, data_dir):
    user = start(data_dir, environ=ELSEWHERE)
    user.server()
    assert user.ask("SELECT current_database() || ' ' || current_user") == "agentsql postgres"
    user.quit()


SHELL = """
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "dbshell", "--", "-Atc", "select current_database()"])
"""


@pytest.mark.parametrize("path", [None, "/nonexistent"], ids=["psql of the system", "psql of the wheel"])
def test_dbshell(data_dir, path):
    environ = ELSEWHERE | ({"PATH": path} if path else {})
    assert run(data_dir, SHELL, **environ).stdout == "agentsql\n"


def test_a_test_database_comes_and_goes(data_dir):
    program = """
name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
assert name == "test_agentsql"
with connection.cursor() as cursor:
    cursor.execute("CREATE EXTENSION vector")
connection.creation.clone_test_db("1", verbosity=0)
connection.creation.destroy_test_db(name, verbosity=0, suffix="1")
connection.creation.destroy_test_db("agentsql", verbosity=0)
with connection.cursor() as cursor:
    cursor.execute("SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datallowconn")
    print(cursor.fetchone()[0])
"""
    assert run(data_dir, program).stdout == "agentsql postgres template1\n"


def test_two_servers_are_two_test_databases(tmp_path):
    program = f"""
from django.db.utils import ConnectionHandler
entry = settings.DATABASES["default"]
other = entry | {{"DATA_DIR": {str(tmp_path / "other")!r}}}
entries = ConnectionHandler({{"default": entry, "other": other}})
assert len({{entries[alias].creation.test_db_signature() for alias in entries}}) == 2
"""
    run(tmp_path / "data", program)


@pytest.mark.parametrize("version", [16, 18])
def test_each_version_has_pgvector_and_unicode(start, tmp_path, version):
    user = start(tmp_path / "data", entry={"POSTGRES_VERSION": version, "NAME": 'odd "name"'})
    server = user.server()
    assert user.ask("SHOW server_version").startswith(str(version))
    assert user.ask("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == 1
    assert user.ask("SELECT upper('é') || current_database()") == 'Éodd "name"'
    assert user.ask("SHOW max_locks_per_transaction") == "64"
    user.quit()
    assert not is_running(server)


@pytest.mark.parametrize(("durable", "fsync"), [(True, "on"), (False, "off")])
def test_durability_is_a_choice(start, data_dir, durable, fsync):
    user = start(data_dir, entry={"DURABLE": durable})
    user.server()
    assert user.ask("SHOW fsync") == fsync
    user.quit()


def test_a_database_dropped_by_hand_is_made_anew(start, data_dir):
    user = start(data_dir, entry={"NAME": "short_lived"})
    user.server()
    user.quit()
    other = start(data_dir, entry={"NAME": "postgres"})
    other.server()
    assert json.loads(other.ask("SELECT json_agg(datname)::text FROM pg_database WHERE datname ~ 'short'")) == [
        "short_lived"
    ]
    other.quit()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server another user")
def test_root_grants_traversal_and_nothing_more(start, tmp_path):
    outer = tmp_path / "outer"
    outer.mkdir(mode=0o700)
    user = start(outer / "inner" / "data")
    user.server()
    assert stat.S_IMODE(outer.stat().st_mode) == 0o701
    assert outer.owner() == "root"
    assert stat.S_IMODE((outer / "inner" / "data").stat().st_mode) == 0o700
    assert (outer / "inner" / "data").owner() == "pgserver"
    user.quit()


def test_an_ordinary_user_needs_nobody_else(start, ordinary):
    user = start(ordinary / "data", "ordinary")
    server = user.server()
    user.quit()
    assert not is_running(server)
    assert (ordinary / "data").owner() == ordinary.owner()
