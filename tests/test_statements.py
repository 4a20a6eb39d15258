"""What a run sends, as the server counts it: constant when nothing is missing, whatever the number of tables."""

import re
from contextlib import closing

import pytest
from django.db import connection, models, transaction

from tests.arena import Registry

LIMIT = 12
# A message's line holds a time, F (to the server) or B, its length and kind; a statement may go over several lines.
SENT = r'^[^\t\n]*\tF\t\d+\t(?:Query|Parse)\t (?:"" )?"(.*?)"[^"\n]*\n(?=[^\t\n]*\t[FB]\t|\Z)'
READS = ("BEGIN", "COMMIT", "SELECT", "WITH")


def plugin_of(tables):
    registry = Registry()
    for number in range(tables):
        first = models.ForeignKey("plug.M0", models.CASCADE)
        registry.model(f"M{number}", n=models.IntegerField(db_index=True), to=first)
    return registry.plugin(connection)


class Wire:
    """Counts what the session sends: libpq's own trace of the protocol."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        connection.ensure_connection()
        self.file = self.path.open("w")
        connection.connection.pgconn.trace(self.file.fileno())
        return self

    def __exit__(self, *_):
        connection.connection.pgconn.untrace()
        self.file.close()
        self.statements = re.findall(SENT, self.path.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("tables", [1, 50, 1000])
def test_a_run_that_finds_nothing_missing(arena, tmp_path, tables):
    plugin = plugin_of(tables)
    arena.automigrate(plugin)

    with Wire(tmp_path / "trace") as wire:
        report = arena.automigrate(plugin)

    assert (report.status, report.outcomes) == ("converged", ())
    assert 0 < len(wire.statements) <= LIMIT
    assert [sql for sql in wire.statements if not sql.strip().startswith(READS)] == []
    assert not re.search(r"(?i)advisory|nextval|\bFOR (NO KEY )?(UPDATE|SHARE)\b", " ".join(wire.statements))


def held_by(pid, looker):
    """Return the locks of a backend, but for the one each transaction has on itself, and its transaction id."""
    with looker.cursor() as cursor:
        cursor.execute("SELECT mode FROM pg_locks WHERE pid = %s AND locktype <> 'virtualxid'", [pid])
        modes = {mode for (mode,) in cursor.fetchall()}
        cursor.execute("SELECT backend_xid::text FROM pg_stat_activity WHERE pid = %s", [pid])
        return modes, cursor.fetchone()[0]


def test_a_run_that_finds_nothing_missing_is_not_noticed(arena):
    """Not even one that could wait for a writer, or that takes a transaction id."""
    plugin = plugin_of(3)
    arena.automigrate(plugin)
    arena.sql("INSERT INTO plug_m0 (n, to_id) VALUES (1, 1)")
    pid = connection.connection.info.backend_pid
    seen = []
    with closing(connection.copy()) as looker:

        def look(execute, *query):
            result = execute(*query)
            seen.append(held_by(pid, looker))
            return result

        with connection.execute_wrapper(look):
            report = arena.automigrate(plugin)

    assert (report.status, report.outcomes) == ("converged", ())
    assert set().union(*(modes for modes, _ in seen)) == {"AccessShareLock"}
    assert {transaction for _, transaction in seen} == {None}


def test_that_look_sees_what_a_run_does(arena):
    """The proof that the test above could fail."""
    pid = connection.connection.info.backend_pid
    with closing(connection.copy()) as looker, transaction.atomic():
        arena.sql("CREATE TABLE t (n int)")
        modes, number = held_by(pid, looker)
    assert "AccessExclusiveLock" in modes
    assert number is not None
