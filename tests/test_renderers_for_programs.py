"""A report as JSON and SQL: the formats that other programs read."""

import json

import pytest
from django.core.checks import Error, Info

from agentsql.renderers import as_json, sql
from tests.support import report
from tests.test_renderers import ERROR, PLAN, TROUBLE, WARNING


def test_plan_as_sql():
    assert sql(PLAN) == (
        'CREATE EXTENSION IF NOT EXISTS "hstore";\n'
        'CREATE TABLE "logs" ("id" bigint, "größe" text);\n'
        "COMMENT ON TABLE \"logs\" IS 'it''s';\n"
        'CREATE INDEX "logs_at" ON "logs" ("at");\n'
        "SELECT 1;\n"
        "-- agentsql.D101 Another type."
    )


def test_a_finding_never_becomes_a_statement():
    finding = Error("a\nDROP TABLE b;\rc\u2028d", hint="e\n\nf", obj="o", id="i")
    lines = sql(report(findings=(finding,))).splitlines()
    assert lines == ["-- i a", "-- DROP TABLE b;", "-- c", "-- d e", "-- ", "-- f"]


def test_nothing_as_sql():
    assert sql(report()) == ""


def test_trouble_as_json():
    found = json.loads(as_json(TROUBLE))
    steps = found.pop("steps")
    assert found == {
        "status": "failed",
        "alias": "default",
        "database": "agents",
        "findings": [
            {
                "id": "agentsql.D004",
                "level": "error",
                "object": "logs.body",
                "message": "No default.",
                "hint": "Give one.",
            }
        ],
        "counts": {"table": 1, "column": 2, "primary key": 1},
        "remaining": 3,
        "seconds": 0.5,
    }
    assert [item["outcome"] for item in steps] == ["done", "failed", "skipped"]
    assert steps[1] == {
        "app": "plug",
        "model": "plug.Log",
        "table": "logs",
        "kind": "index",
        "name": "logs_at",
        "sql": ['CREATE INDEX "logs_at" ON "logs" ("at")'],
        "lock": "SHARE",
        "actions": [{"sql": ['CREATE INDEX "logs_at" ON "logs" ("at")'], "lock": "SHARE", "transaction": "own"}],
        "outcome": "failed",
        "seconds": 0.1,
        "error": {"message": 'relation "logs" does not exist', "hint": "Make it.", "sqlstate": "42P01"},
    }


def test_json_without_a_table_or_an_error():
    first, *_, last = json.loads(as_json(PLAN))["steps"]
    assert (first["table"], first["model"], first["lock"], first["error"]) == (None, "", None, None)
    assert (last["app"], last["table"], last["kind"]) == ("blog", "ai.logs", "column")


@pytest.mark.parametrize(
    ("finding", "level"), [(ERROR, "error"), (WARNING, "warning"), (Info("i", obj="o", id="x"), "info")]
)
def test_levels(finding, level):
    assert json.loads(as_json(report(findings=(finding,))))["findings"][0]["level"] == level
