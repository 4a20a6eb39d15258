"""Wagtail and Oscar, as published: automigrate makes of them what Django itself makes of their models."""

import re
from collections import Counter

import pytest

from tests.applications.conftest import cursor_of, look, new_database
from tests.losses import lose
from tests.oracle import differences

SMALLEST = 50  # tables: that an application fails to load must not pass for success
INDEX_NAME = re.compile(r"(?<=INDEX )\S+ (?=ON )")


def test_automigrate_makes_what_django_makes(application):
    assert len(application.expected) > SMALLEST
    assert (application.first["status"], application.first["findings"]) == ("converged", [])
    assert differences(application.expected, look(application.automigrated.database)) == []


def test_second_plan_is_empty(application):
    second = application.automigrated.automigrate()
    assert (second["status"], second["steps"], second["remaining"]) == ("converged", [], 0)


def test_what_django_made_is_complete(application):
    report = application.automigrated.automigrate(database=application.direct.database)
    assert (report["status"], report["steps"], report["findings"]) == ("converged", [], [])


@pytest.mark.parametrize("seed", range(6))
def test_what_is_lost_comes_back(application, seed):
    with new_database(f"apps_{application.name}_seed{seed}", application.automigrated.database) as database:
        with cursor_of(database) as cursor:
            cursor.execute("TRUNCATE django_content_type CASCADE")  # rows would rightly refuse some new columns
            lost = lose(cursor, application.expected, seed=seed)
        print(f"seed {seed}, lost {len(lost)}:", *lost, sep="\n")  # noqa: T201
        assert differences(application.expected, look(database))
        report = application.automigrated.automigrate(database=database)
        assert (report["status"], report["findings"]) == ("converged", [])
        assert differences(application.expected, look(database)) == []
        second = application.automigrated.automigrate(database=database)
        assert (second["status"], second["steps"]) == ("converged", [])


def test_what_migrations_made_is_recognised(application):
    """Migrations leave old names and, here and there, other types; what exists is not made again."""
    before = look(application.migrated.database)
    report = application.migrated.automigrate()
    assert [step for step in report["steps"] if step["outcome"] != "done"] == []
    assert [finding for finding in report["findings"] if finding["level"] == "error"] == []
    after = look(application.migrated.database)
    assert structure(application.expected).keys() <= structure(after).keys()
    assert made_again(before, after) == []
    second = application.migrated.automigrate()
    assert (second["status"], second["steps"]) == ("converged", [])


def structure(tables):
    """Count what there is by what it does: constraints and indexes without their names."""
    return Counter(
        (table, part, INDEX_NAME.sub("", item["definition"]) if "definition" in item else name)
        for table, facts in tables.items()
        for part in ("columns", "constraints", "indexes")
        for name, item in facts[part].items()
    )


def made_again(before, after):
    """Return what was there and now is there more often."""
    known = structure(before)
    return [thing for thing, number in structure(after).items() if number > known[thing] > 0]
