"""Ctrl-C at `manage.py automigrate`: it stops soon, says what is made and what is left, and leaves nothing broken."""

import signal

import pytest

from agentsql.lock import KEY
from tests.crash.conftest import BROKEN, PATIENCE, wait_until
from tests.crash.shop import DATA, SLOW_UPDATES

LOCKED = """
SELECT count(*) > 0 FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query NOT LIKE '%pg_stat_activity%'
"""
DROPPING = """
SELECT count(*) > 0 FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'DROP INDEX%'
"""
OLD_SNAPSHOTS = """
SELECT count(*) > 0 FROM pg_stat_progress_create_index
 WHERE datname = current_database() AND phase = 'waiting for old snapshots'
"""
REPEATABLE = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
CUSTOMER, PRODUCT = ["column note"], ["index product_name"]
ORDER = ["column token", "check order_number"]
STOPPED = "CommandError: Stopped by Ctrl-C; what was made stays, and automigrate makes the rest when run again."
LOST = "CommandError: The connection that held automigrate's lock has died, so nothing more was started; run it again."
FAILED = "CommandError: The database failed: terminating connection due to administrator command"
UNBEGUN = "CommandError: Interrupted; run automigrate again, it goes on from what there is."


def seen(ground, sql, process):
    assert process.poll() is None, process.communicate()
    return ground.ask(sql) == [(True,)]


def interrupt(process):
    """Send SIGINT; return the exit code, what was made, what was not, and the last words."""
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in output + errors
    lines = [line.strip() for line in output.splitlines()]
    made = [line[2:66].rsplit("OK", 1)[0].strip() for line in lines if line.startswith("+ ")]
    left = [line[2:].removesuffix("NOT MADE").strip() for line in lines if line.startswith("- ")]
    return process.returncode, made, left, errors.splitlines()[-1]


def assert_rerun_converges(start, ground, data):
    process = start()
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, ""), output
    assert ground.ask(BROKEN) == []
    assert ground.ask(DATA) == data
    process = start()
    assert process.communicate(timeout=PATIENCE)[0].startswith("Nothing to do: ")


@pytest.mark.parametrize(
    ("in_the_way", "until", "result"),
    [
        ("LOCK TABLE shop_order", LOCKED, (130, [], [], UNBEGUN)),
        ("SELECT FROM shop_customer", LOCKED, (130, [], CUSTOMER + PRODUCT + ORDER, STOPPED)),
        ("SELECT FROM shop_order", LOCKED, (130, CUSTOMER + PRODUCT, ORDER, STOPPED)),
        (
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1",
            OLD_SNAPSHOTS,
            (130, CUSTOMER, PRODUCT + ORDER, STOPPED),
        ),
    ],
    ids=["while it looks", "at its first lock", "at a lock", "in an index build"],
)
def test_interrupted(shop, ground, other, *, in_the_way, until, result):
    data = ground.ask(DATA)
    other.execute(in_the_way)
    process = shop()
    wait_until(lambda: seen(ground, until, process))

    assert interrupt(process) == result

    assert ground.ask(BROKEN) == []
    other.rollback()
    assert_rerun_converges(shop, ground, data)


def test_interrupted_between_steps(shop, ground, other):
    """As soon as the first is done; the last can't end."""
    data = ground.ask(DATA)
    other.execute("SELECT FROM shop_order")
    process = shop()
    while "column note" not in (line := process.stdout.readline()):
        assert line
    code, made, left, words = interrupt(process)

    assert (code, CUSTOMER + made + left, words) == (130, CUSTOMER + PRODUCT + ORDER, STOPPED)
    assert ground.ask(BROKEN) == []
    other.rollback()
    assert_rerun_converges(shop, ground, data)


def test_interrupted_while_it_waits_for_another_run(shop, ground, other):
    data = ground.ask(DATA)
    other.execute("SELECT pg_advisory_xact_lock(%s)", [KEY])
    process = shop()
    assert process.stderr.readline().startswith("Another automigrate run holds the lock: backend ")

    assert interrupt(process) == (130, [], [], UNBEGUN)

    other.rollback()
    assert_rerun_converges(shop, ground, data)


def test_interrupted_in_a_backfill(shop, ground, other):
    """The column stays, marked as unfinished, and the next run fills the rest."""
    data = ground.ask(DATA)
    ground.session.execute(SLOW_UPDATES)
    other.execute("SELECT pg_advisory_xact_lock(7)")
    process = shop()
    wait_until(lambda: seen(ground, LOCKED, process))

    assert interrupt(process) == (130, CUSTOMER + PRODUCT, ORDER, STOPPED)

    assert ground.ask("SELECT count(*), count(token) FROM shop_order") == [(1000, 0)]
    other.rollback()
    assert_rerun_converges(shop, ground, data)
    assert ground.ask("SELECT count(DISTINCT token) FROM shop_order") == [(1000,)]


def test_interrupted_in_front_of_a_table_that_is_locked_since(shop, ground, other):
    """The verdict needs a look at that table; nobody wants to wait for it."""
    data = ground.ask(DATA)
    other.execute("SELECT FROM shop_order")
    process = shop()
    wait_until(lambda: seen(ground, LOCKED, process))
    other.execute("LOCK TABLE shop_order")

    assert interrupt(process) == (130, CUSTOMER + PRODUCT, ORDER, STOPPED)

    other.rollback()
    assert_rerun_converges(shop, ground, data)


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("query NOT LIKE 'ALTER%' AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')", LOST),
        ("query LIKE 'ALTER%' AND wait_event_type = 'Lock'", FAILED),
    ],
    ids=["keeper", "main"],
)
def test_connection_lost_at_a_lock(shop, ground, other, who, words):
    """One message, though nobody asked it to stop."""
    data = ground.ask(DATA)
    other.execute("SELECT FROM shop_order")
    process = shop()
    wait_until(lambda: seen(ground, LOCKED, process))
    terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND "

    assert ground.ask(terminate + who) == [(1,)]

    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors.splitlines()) == (1, [words])
    other.rollback()
    assert_rerun_converges(shop, ground, data)


@pytest.mark.parametrize("times", [1, 2], ids=["once", "again while it cleans up"])
def test_interrupted_in_an_index_build_of_a_table_that_is_being_read(shop, ground, other, times):
    """The index can't be dropped before the reader ends; the next run does it."""
    data = ground.ask(DATA)
    other.execute(f"{REPEATABLE}; SELECT FROM shop_product")
    process = shop()
    wait_until(lambda: seen(ground, OLD_SNAPSHOTS, process))
    for _ in range(times - 1):
        process.send_signal(signal.SIGINT)
        wait_until(lambda: seen(ground, DROPPING, process))

    assert interrupt(process) == (130, CUSTOMER, PRODUCT + ORDER, STOPPED)

    other.rollback()
    assert_rerun_converges(shop, ground, data)
