"""SIGKILL before, during and after each statement of a run: the next run finishes what it left, and nothing is lost."""

import json
import os
import signal

import pytest

from tests.crash.child import KEEPER
from tests.crash.conftest import KILLS, wait_until

ROWS = 4000
LOST = "The connection that held automigrate's lock has died, so nothing more was started; run it again."
SHORTEST_SECONDS = 0.0005


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_killed_at_each_statement(ground, moment):
    whole, schema = ground.undisturbed(ROWS)
    assert len(whole["sent"]) > 25

    wrong = {}
    for fault, statement in enumerate(whole["sent"]):
        data = ground.reset(ROWS)
        delay = max(statement["seconds"] / 2, SHORTEST_SECONDS)
        code, words = ground.run(fault=fault, moment=moment, delay=delay)
        assert code == -9, (fault, statement["sql"], words)
        if trouble := ground.heal(data, schema):
            wrong[fault, statement["sql"]] = trouble
    assert wrong == {}


def test_main_connection_lost_during_a_statement(ground):
    whole, schema = ground.undisturbed(ROWS)
    wrong = {}
    for fault, statement in some(whole["sent"]):
        data = ground.reset(ROWS)
        code, words = ground.run(fault=fault, moment="main", delay=statement["seconds"] / 2)
        *screen, last = words.splitlines()
        stopped = code == 1 and len(screen) == 1 and screen[0].startswith("The database failed: ")
        late = sent_later(json.loads(last)["sent"], fault, whole["groups"])
        if trouble := ground.heal(data, schema) + late + ([] if stopped else [words]):
            wrong[fault, statement["sql"]] = trouble
    assert wrong == {}


def test_nothing_begins_once_the_lock_is_lost(ground):
    """Another run may begin at that moment, and two at once would trip over each other."""
    whole, schema = ground.undisturbed(ROWS)
    wrong = {}
    for fault, statement in some(whole["sent"]):
        data = ground.reset(ROWS)
        code, words = ground.run(fault=fault, moment="keeper")
        *screen, last = words.splitlines()
        late = sent_later(json.loads(last)["sent"], fault, whole["groups"])
        finished = code == 0 and statement["sql"] in whole["groups"][-1]
        if late or not (finished or (code == 1 and screen == [LOST])):
            wrong[fault, statement["sql"]] = [code, screen, late]
    assert wrong == {}
    assert ground.heal(data, schema) == []


def sent_later(sent, fault, groups):
    """Return what was sent after a statement and does not commit with it."""
    (group,) = [group for group in groups if sent[fault]["sql"] in group]
    return [later["sql"] for later in sent[fault + 1 :] if later["sql"] not in group]


def some(statements):
    """Return each third statement, with its number; all of them in a long test."""
    return list(enumerate(statements))[:: 1 if KILLS >= 200 else 3]


WAITING = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND starts_with(query, %s)
"""
# The next run may queue up behind, or know better.
AT_WORK = f"""
SELECT count(*) > 0 FROM pg_stat_activity a
 WHERE datname = current_database() AND xact_start < clock_timestamp() - interval '1 s' AND {KEEPER}
"""


INDEXES = ["plug_thing_n_key", "thing_once", "thing_name", "plug_mark_pkey"]
# Statistics cover all databases of a server, and others may be at work there.
OLD_SNAPSHOTS = """
SELECT count(*) FROM pg_stat_progress_create_index
 WHERE datname = current_database() AND phase = 'waiting for old snapshots'
"""
TERMINATE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_progress_create_index WHERE datname = current_database()
"""
INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"


@pytest.mark.parametrize("name", INDEXES)
def test_killed_with_its_backend_in_an_index_build(ground, name):
    whole, schema = ground.undisturbed(ROWS)
    data = ground.reset(ROWS)
    (fault,) = [number for number, sent in enumerate(whole["sent"]) if f'INDEX CONCURRENTLY "{name}"' in sent["sql"]]
    ground.run(fault=fault, moment="before")
    with ground.connect() as other:
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        pid = ground.start()
        wait_until(lambda: ground.ask(OLD_SNAPSHOTS) == [(1,)])
        os.kill(pid, signal.SIGKILL)
        ground.end()
        ground.ask(TERMINATE)
    assert ground.ask(INVALID) == [(name,)]
    assert ground.heal(data, schema) == []


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE UNIQUE INDEX CONCURRENTLY "plug_thing_n_key"',
        'CREATE INDEX CONCURRENTLY "thing_name"',
        'ALTER TABLE "plug_thing" VALIDATE CONSTRAINT "thing_n"',
        "DO $agentsql$",
    ],
    ids=["constraint's index", "index", "validation", "backfill"],
)
def test_killed_while_it_waits_in_line(ground, statement):
    """The server doesn't notice: the dead client's statement keeps its place in front of the next run's."""
    whole, schema = ground.undisturbed(ROWS)
    data = ground.reset(ROWS)
    (fault,) = [number for number, sent in enumerate(whole["sent"]) if sent["sql"].startswith(statement)]
    ground.run(fault=fault, moment="before")
    with ground.connect() as other:
        other.execute("LOCK TABLE plug_thing IN SHARE MODE")
        pid = ground.start()
        wait_until(lambda: ground.ask(WAITING, statement) == [(1,)])
        os.kill(pid, signal.SIGKILL)
        ground.end()
        ground.start(again=True)
        wait_until(lambda: ground.ask(WAITING, statement) == [(2,)] or ground.ask(AT_WORK) == [(True,)])
        other.rollback()
        code, words = ground.end()
    assert code == 0, words
    assert ground.wrong(data, schema) == []
