"""Applications as published: automigrate makes of them what Django itself makes of their models.

And it tells nothing of what their own migrations made but what is true.
"""

import re
from collections import Counter

import pytest

from tests.applications.conftest import cursor_of, look, new_database
from tests.losses import lose
from tests.oracle import differences

SMALLEST = 25  # tables: that an application fails to load must not pass for success
TRUE = {  # what migrations left that no model asks for: finding, level, object
    "wagtail": {  # its migrations set this collation in SQL of their own, so that siblings sort as their paths do
        ("agentsql.D109", "info", "wagtailcore_collection.path"),
        ("agentsql.D109", "info", "wagtailcore_page.path"),
    },
    "oscar": {  # made by customer.0005; 0006 moves the model to another app, where the field has no db_index
        ("agentsql.D124", "info", "index communication_notification(customer_notification_date_sent_9b6baeda)"),
    },
}
INDEX_NAME = re.compile(r"(?<=INDEX )\S+ (?=ON )")


def test_automigrate_makes_what_django_makes(application):
    assert len(application.expected) > SMALLEST
    assert (application.first["status"], application.first["findings"]) == ("converged", [])
    assert differences(application.expected, look(application.automigrated.database)) == []


def test_second_plan_is_empty(application):
    second = application.automigrated.automigrate()
    assert (second["status"], second["steps"], second["remaining"]) == ("converged", [], 0)
    assert application.automigrated.automigrate("--plan")["findings"] == []


def test_what_django_made_is_complete(application):
    report = application.automigrated.automigrate("--plan", database=application.direct.database)
    assert (report["status"], report["steps"], report["findings"]) == ("converged", [], [])


def test_of_what_migrations_made_only_the_truth_is_told(application):
    """All of it was compared in every detail: what is not, would be told, too."""
    _, planned = application.migrated
    told = [(one["id"], one["level"], one["object"]) for one in planned["findings"]]
    assert sorted(told) == sorted(TRUE.get(application.name, set())), planned["findings"]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_lost_comes_back(application, seed):
    with new_database(f"apps_{application.name}_seed{seed}", application.automigrated.database) as database:
        with cursor_of(database) as cursor:
            cursor.execute("TRUNCATE django_content_type CASCADE")  # of rows NOT NULL columns do not come back
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
    migrated, _ = application.migrated
    before = look(migrated.database)
    report = migrated.automigrate()
    assert [step for step in report["steps"] if step["outcome"] != "done"] == []
    assert [finding for finding in report["findings"] if finding["level"] == "error"] == []
    after = look(migrated.database)
    assert structure(application.expected).keys() <= structure(after).keys()
    assert made_again(before, after) == []
    second = migrated.automigrate()
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
