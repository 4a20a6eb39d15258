"""What a run sends, as the server counts it: constant when nothing is missing, whatever the number of tables."""

import re

import pytest
from django.db import connection, models

from tests.arena import Registry

LIMIT = 12


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
        self.statements = re.findall(r"^.*\tF\t\d+\t(?:Query|Parse)\t(.*)$", self.path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("tables", [1, 50, 1000])
def test_a_run_that_finds_nothing_missing(arena, tmp_path, tables):
    plugin = plugin_of(tables)
    arena.automigrate(plugin)

    with Wire(tmp_path / "trace") as wire:
        report = arena.automigrate(plugin)

    assert (report.status, report.outcomes) == ("converged", ())
    assert 0 < len(wire.statements) <= LIMIT
    assert not re.search(r"\b(BEGIN|LOCK|advisory|CREATE|ALTER|INSERT|UPDATE|DELETE|SET)\b", " ".join(wire.statements))
