"""A real PgBouncer in transaction mode, in front of a database of our own on the session's server."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.live import elsewhere

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
PATIENCE = 20.0
PORT = 6432
CONFIGURATION = """\
[databases]
* = {server}
[pgbouncer]
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
query_wait_timeout = {query_wait}
listen_addr =
listen_port = {port}
unix_socket_dir = {place}
auth_type = any
admin_users = postgres
ignore_startup_parameters = extra_float_digits
logfile = {place}/log
pidfile = {place}/pid
"""


class Pooler:
    """A running PgBouncer: where clients find it, and where its server really is."""

    def __init__(self, place, direct):
        self.direct = direct
        self.params = {"host": str(place), "port": PORT, "user": direct["user"], "dbname": direct["dbname"]}

    def open(self, **options):
        return psycopg.connect(**self.params | options, autocommit=True, prepare_threshold=None)


def addressed(params):
    return {key: params[key] for key in ("host", "port", "user", "password", "dbname") if params.get(key)}


def account(host):
    """Return whom root runs PgBouncer as, which refuses root: one who may open the server's socket."""
    if os.geteuid() != 0:
        return {}
    owner = Path(host).stat().st_uid if host.startswith("/") else 0
    user = pwd.getpwuid(owner or pwd.getpwnam("nobody").pw_uid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def pgbouncer(direct, *, size, query_wait):
    if PROGRAM is None:
        pytest.skip("there is no pgbouncer on this machine: apt-get install pgbouncer")
    place = Path(tempfile.mkdtemp(prefix="pool-"))
    given = ((key, str(direct[key])) for key in ("host", "port", "user", "password") if direct.get(key))
    server = " ".join("{}='{}'".format(key, value.replace("'", "''")) for key, value in given)
    (place / "ini").write_text(
        CONFIGURATION.format(server=server, size=size, query_wait=query_wait, place=place, port=PORT)
    )
    who = account(direct.get("host") or "")
    for path in (place, place / "ini") if who else ():
        os.chown(path, who["user"], who["group"])
    process = subprocess.Popen([PROGRAM, "-q", place / "ini"], stderr=subprocess.PIPE, cwd=place, **who)
    try:
        pooler = Pooler(place, direct)
        await_ready(pooler, process)
        yield pooler
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
        shutil.rmtree(place)


def await_ready(pooler, process):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            pooler.open().close()
        except psycopg.OperationalError:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return


@pytest.fixture
def role_name(django_db_setup, django_db_blocker):
    """Drop the role of this name in the end, after the database in which it owns things."""
    name = f"pooled_{os.getpid()}"
    yield name
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP ROLE IF EXISTS {name}")


@pytest.fixture
def database_of_ours(role_name, django_db_blocker):
    """Make an empty database, so that no other test has sessions in it."""
    name = f"pooled_{os.getpid()}"
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
    yield connection.get_connection_params() | {"dbname": name}
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def pool(database_of_ours, django_db_blocker):
    """Start a pooler of some size, and lead the test's connection through it."""
    with ExitStack() as stack, django_db_blocker.unblock():

        def pool(size, query_wait=30, **direct):
            pooler = stack.enter_context(pgbouncer(database_of_ours | direct, size=size, query_wait=query_wait))
            place = {"HOST": pooler.params["host"], "PORT": PORT, "NAME": pooler.params["dbname"], "PASSWORD": ""}
            stack.enter_context(elsewhere(USER=pooler.params["user"], **place))
            return pooler

        yield pool


@pytest.fixture
def role(role_name, database_of_ours):
    """Make a role with settings of its own, which may create."""
    password = database_of_ours.get("password")

    def role(**settings):
        with psycopg.connect(**addressed(database_of_ours), autocommit=True) as owner:
            owner.execute(f"CREATE ROLE {role_name} LOGIN" + (f" PASSWORD '{password}'" if password else ""))
            owner.execute(f"GRANT CREATE ON SCHEMA public TO {role_name}")
            for setting, value in settings.items():
                owner.execute(f"ALTER ROLE {role_name} SET {setting} = '{value}'")
        return role_name

    return role
