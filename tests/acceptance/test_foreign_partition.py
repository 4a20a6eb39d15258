"""A partition that is a foreign table can't have what a model wants of a partitioned table, and is not touched."""

import uuid

import pytest
from django.db import models

from tests.acceptance.partitions import DECLARED, FIELDS, build, event
from tests.acceptance.populated import checksum, half_made
from tests.oracle import differences

REFUSED = ["foreign key", "index", "primary key", "unique"]


@pytest.fixture
def foreign(arena):
    """Add a partition that is a foreign table, of a wrapper that can't read: nothing may try."""
    build(arena, "list", "unique", rows=True)
    arena.sql(
        "ALTER TABLE plug_event DETACH PARTITION plug_event_rest",
        "ALTER TABLE plug_event DROP CONSTRAINT plug_event_pkey",
        "CREATE FOREIGN DATA WRAPPER unreadable",
        "CREATE SERVER elsewhere FOREIGN DATA WRAPPER unreadable",
        "CREATE FOREIGN TABLE plug_event_far PARTITION OF plug_event FOR VALUES IN (9) SERVER elsewhere",
    )
    yield arena
    arena.sql("DROP FOREIGN DATA WRAPPER unreadable CASCADE")


def test_a_partition_that_is_a_foreign_table_gets_columns_and_checks_only(foreign):
    before = checksum(foreign, "plug_event_a", ["id", "kind", "n", "name", "by_id"])
    parts = [DECLARED["index"], DECLARED["check"], DECLARED["unique"]]
    more = {name: field.clone() for case in ("constant", "foreign key") for name, field in FIELDS[case].items()}

    report = foreign.automigrate(event(("id", "kind"), *parts, **more))
    again = foreign.automigrate(event(("id", "kind"), *parts, **more))

    assert sorted(outcome.step.name for outcome in report.outcomes) == ["x", "x"]
    assert [outcome.failure for outcome in report.outcomes if outcome.failure] == []
    assert sorted(finding.obj.partition(" plug_event")[0] for finding in report.findings) == REFUSED
    assert {finding.id for finding in report.findings} == {"agentsql.D017"}
    assert "plug_event_far is a foreign table" in report.findings[0].msg
    assert (again.outcomes, half_made(foreign)) == ((), [])
    assert checksum(foreign, "plug_event_a", ["id", "kind", "n", "name", "by_id"]) == before


def test_a_partition_that_is_a_foreign_table_cannot_be_filled(foreign):
    left = foreign.fingerprint()

    report = foreign.automigrate(event(("id", "kind"), x=models.UUIDField(default=uuid.uuid4)))

    assert [finding.obj for finding in report.findings] == ["plug_event.x", "primary key plug_event"]
    assert {finding.id for finding in report.findings} == {"agentsql.D017"}
    assert (report.outcomes, differences(left, foreign.fingerprint())) == ((), [])
