"""A report as JSON, SQL and annotations: the formats that other programs read."""

import json

import pytest
from django.core.checks import Critical, Debug, Error, Info

from agentsql.renderers import as_json, github, several, sql
from agentsql.report import Failure, Result
from tests.support import outcome, report
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
        "plugins": ["plug"],
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
        "incomplete": [],
        "looked": True,
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


def test_json_of_what_could_not_be_looked_at():
    found = json.loads(as_json(report(plugins=("b", "a"), incomplete=frozenset({"b", "a"}), looked=False)))
    assert (found["plugins"], found["incomplete"], found["looked"]) == (["b", "a"], ["a", "b"], False)


def test_json_without_a_table_or_an_error():
    first, *_, last = json.loads(as_json(PLAN))["steps"]
    assert (first["table"], first["model"], first["lock"], first["error"]) == (None, "", None, None)
    assert (last["app"], last["table"], last["kind"]) == ("blog", "ai.logs", "column")


@pytest.mark.parametrize(
    ("finding", "level", "annotation"),
    [
        (Critical("c", obj="o", id="x"), "error", "error"),
        (ERROR, "error", "error"),
        (WARNING, "warning", "warning"),
        (Info("i", obj="o", id="x"), "info", "notice"),
        (Debug("d", obj="o", id="x"), "info", "notice"),
    ],
)
def test_levels(finding, level, annotation):
    found = report(findings=(finding,))
    assert json.loads(as_json(found))["findings"][0]["level"] == level
    assert github(found).startswith(f"::{annotation} title={finding.id} {finding.obj}::")


def test_trouble_as_annotations():
    assert github(TROUBLE).splitlines() == [
        (
            "::error title=Schema of agents::The database lacks 3 objects of the models. "
            "1 table, 2 columns in 0.50 s; 2 of 3 steps did not succeed; 3 objects still missing."
        ),
        (
            '::error title=plug index logs_at::relation "logs" does not exist%0A'
            'CREATE INDEX "logs_at" ON "logs" ("at");%0AHINT: Make it.'
        ),
        "::error title=agentsql.D004 logs.body::No default.%0AHINT: Give one.",
    ]


def test_plan_as_annotations():
    """A plan is no error yet: a run makes it."""
    assert github(PLAN, where="other").splitlines() == [
        (
            "::warning title=Schema of agents (other)::The database lacks 7 objects of the models. "
            "To make: 1 extension, 1 table, 3 columns, 1 index."
        ),
        "::warning title=agentsql.D101 logs.n (other)::Another type.",
    ]


def test_nothing_as_annotations():
    assert github(report()) == ""


def test_annotations_begin_with_the_worst():
    lines = github(report(findings=(WARNING, Info("i", obj="o", id="x"), ERROR))).splitlines()
    assert [line.split()[0] for line in lines] == ["::error", "::warning", "::notice"]


def test_a_failure_with_a_finding_is_one_annotation():
    failure = Failure(message="is duplicated", finding=ERROR)
    failed = report(outcome(Result.FAILED, failure=failure), findings=(ERROR,))
    assert github(failed) == "::error title=agentsql.D004 logs.body::No default.%0AHINT: Give one."


def test_what_would_end_an_annotation_is_escaped():
    finding = Error("50%\r\n::error::a, b: c", hint="%0A", obj="unique logs(a, b): 5%\n", id="i")
    assert github(report(findings=(finding,))) == (
        "::error title=i unique logs(a%2C b)%3A 5%25%0A::50%25%0D%0A::error::a, b: c%0AHINT: %250A"
    )


def test_several_databases():
    reports = [report(findings=(WARNING,), alias="a"), report(alias="b"), report(findings=(ERROR,), alias="c")]
    assert several("github", reports).splitlines() == [
        "::warning title=agentsql.D101 logs.n (a)::Another type.",
        "::error title=agentsql.D004 logs.body (c)::No default.%0AHINT: Give one.",
    ]
    assert [one["alias"] for one in json.loads(several("json", reports))] == ["a", "b", "c"]
    assert several("sql", reports[:1]) == "-- database a\n-- agentsql.D101 Another type."
