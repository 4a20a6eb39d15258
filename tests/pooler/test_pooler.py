"""Behind PgBouncer in transaction mode: each transaction has another server connection, which others get next."""

import time
from contextlib import ExitStack

import psycopg
import pytest
from django.db import connection

from agentsql.exceptions import DatabaseUnavailable
from agentsql.server import ask
from tests import live
from tests.arena import Arena
from tests.crowd import CHECKSUM, LOSSES, ROWS, crowd, invalid, schema_of, session
from tests.oracle import differences
from tests.pooler.conftest import addressed

# What differs on a server connection from what its role and database say, but for what PgBouncer itself carries over.
LEFT = """
SELECT name, setting FROM pg_settings
 WHERE source = 'session' AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone',
       'standard_conforming_strings', 'transaction_isolation', 'transaction_read_only', 'transaction_deferrable')
UNION ALL SELECT 'prepared statement', statement FROM pg_prepared_statements
"""


def left_behind(pooler, size):
    """Return what a run left on the pool's server connections: as many open transactions see each of them."""
    with ExitStack() as stack:
        clients = [stack.enter_context(pooler.open()) for _ in range(size)]
        for client in clients:
            client.execute("BEGIN")
        pids = {client.execute("SELECT pg_backend_pid()").fetchone() for client in clients}
        assert len(pids) == size
        return [row for client in clients for row in client.execute(LEFT).fetchall()]


@pytest.mark.parametrize("size", [4, 20])
@pytest.mark.parametrize("before", [(), live.BEFORE], ids=["empty", "populated"])
def test_a_run(pool, size, before):
    pooler = pool(size)
    arena = Arena()  # never entered: its search_path would stay in the pool
    arena.sql(*before)
    checksum = arena.rows(live.CHECKSUM) if before else ()
    assert ask(connection).pooled

    report = arena.automigrate(live.plugin(), settings=live.SOON)

    built = [sql for outcome in report.outcomes for sql in outcome.step.sql if " INDEX CONCURRENTLY " in sql]
    assert live.wrong(arena, report, checksum) == []
    assert len(built) == (3 if before else 0)
    assert left_behind(pooler, size) == []


def test_what_is_left_behind_is_seen(pool):
    """The test above would notice."""
    pooler = pool(2)
    with pooler.open() as client:
        client.execute("SET lock_timeout = '7s'")

    assert left_behind(pooler, 2) == [("lock_timeout", "7000")]


@pytest.mark.extension("vector")
@pytest.mark.parametrize("crowded", [(4, 8, 0), (4, 8, 4), (20, 32, 0), (20, 32, 16)])
@pytest.mark.parametrize("state", ["empty", "populated"])
def test_many_processes(pool, database_of_ours, state, crowded):
    size, count, doomed = crowded
    expected = checksum = None
    if state == "populated":
        assert [ended.code for ended in crowd(database_of_ours, 1)] == [0]
        with session(database_of_ours) as direct:
            direct.execute(ROWS)
            expected = schema_of(database_of_ours)
            direct.execute(LOSSES)
            checksum = direct.execute(CHECKSUM).fetchone()
    pooler = pool(size)

    results = crowd(pooler.params, count, doomed=doomed)

    assert {ended.code for ended in results} <= ({0, -9} if doomed else {0}), results
    assert sum(ended.code == 0 for ended in results) >= count - doomed
    if not doomed:
        assert sum("Nothing to do" in ended.output for ended in results) == count - 1
    assert invalid(database_of_ours) == []
    if expected:
        lines = differences(expected, schema_of(database_of_ours))
        assert [line for line in lines if " default: " not in line] == []  # new columns keep theirs
        with session(database_of_ours) as direct:
            assert direct.execute(CHECKSUM).fetchone() == checksum
    (again,) = crowd(pooler.params, 1)
    assert (again.code, "Nothing to do" in again.output) == (0, True)
    assert left_behind(pooler, size) == []


def test_a_build_that_outlasts_the_roles_statement_timeout(pool, database_of_ours, role):
    """Outside a transaction nothing can be set that would not stay in the pool, so the role's own limit holds."""
    pool(4, user=role(statement_timeout="1s"))
    arena = Arena()
    arena.sql(*live.BEFORE)
    checksum = arena.rows(live.CHECKSUM)
    over = "SELECT FROM pg_indexes WHERE indexname = 'never'"

    with live.in_the_way(over, to=database_of_ours):
        report = arena.automigrate(live.plugin(), settings=live.SOON)

    failed = {outcome.step.name: outcome.failure for outcome in report.outcomes if outcome.result == "failed"}
    assert set(failed) == {"plug_thing_n_key", "plug_thing_token_key", "thing_name"}
    assert {failure.sqlstate for failure in failed.values()} == {"57014"}
    assert all("statement_timeout" in failure.hint for failure in failed.values())
    assert arena.rows(live.INVALID) == []
    assert arena.rows(live.CHECKSUM) == checksum
    assert live.wrong(arena, arena.automigrate(live.plugin(), settings=live.SOON), checksum) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"default_transaction_isolation": "repeatable read"},
        {"default_transaction_isolation": "serializable"},
        {"idle_in_transaction_session_timeout": "50ms"},
        {"idle_session_timeout": "50ms"},
    ],
    ids=lambda settings: " ".join(map("=".join, settings.items())),
)
def test_a_run_in_spite_of_the_roles_settings(pool, database_of_ours, role, settings):
    pooler = pool(4, user=role(**settings))
    arena = Arena()
    arena.sql(*live.BEFORE)
    checksum = arena.rows(live.CHECKSUM)

    with live.in_the_way(live.build_waits(0.4), to=database_of_ours):
        report = arena.automigrate(live.plugin(), settings=live.SOON)

    assert live.wrong(arena, report, checksum) == []
    assert left_behind(pooler, 4) == []


def test_a_pool_of_one(pool):
    """The lock needs a server of its own: the pooler says that there is none, and the run ends."""
    pooler = pool(1, query_wait=2)
    started = time.monotonic()

    with pytest.raises(DatabaseUnavailable, match="query_wait_timeout"):
        Arena().automigrate(live.plugin(), settings=live.SOON)

    assert time.monotonic() - started < 20
    with psycopg.connect(**addressed(pooler.direct)) as direct:
        assert direct.execute("SELECT FROM pg_tables WHERE tablename LIKE 'plug%'").fetchall() == []
    assert left_behind(pooler, 1) == []
