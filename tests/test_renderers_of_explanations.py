"""An explanation as text and JSON, to the letter."""

import json
from dataclasses import replace

from django.core.checks import Info, Warning  # noqa: A004 Django's name for it
from django.core.management.color import color_style

from agentsql.explain import Explanation, Fact, State, Subject
from agentsql.names import TableName
from agentsql.renderers import explanation_json, explanation_text
from agentsql.schema import Extension, Key, Kind
from tests.support import LOGS, column, index, step, table

LONG = "to_tsvector('simple'::regconfig, body ->> 'text'::text)"
WARNING = Warning("Column logs.body is json.", hint="By hand.", obj="logs.body", id="agentsql.D101")
INFO = Info("Column logs.body has a comment.", obj="logs.body", id="agentsql.D110")
BODY = Subject(
    key=column("body").key,
    name="body",
    state=State.SHARED,
    model="plug.Log",
    facts=(Fact("type", "text", "json", differs=True), Fact("null", "NOT NULL", "NOT NULL", differs=False)),
)
TABLE = Subject(key=table().key, name="logs", state=State.SHARED, model="plug.Log", facts=())
INDEX = Subject(
    key=index("i", "at").key,
    name="i",
    state=State.MISSING,
    model="plug.Log",
    facts=(Fact("keys", "at", "", differs=False),),
)


def told(*subjects, findings=(), steps=(), uncompared=()):
    return Explanation(subjects=subjects, findings=findings, steps=steps, uncompared=dict(uncompared))


def test_both_sides():
    found = told(TABLE, BODY, INDEX, findings=(INFO, WARNING), steps=(step(INDEX.key, sql=("A", "B")),))
    assert explanation_text(found) == (
        "logs (plug.Log)\n"
        "                             the models want  the database has\n"
        "    table\n"
        "  ! column body        type  text             json\n"
        "                       null  NOT NULL         NOT NULL\n"
        "    index i (missing)  keys  at\n"
        "(agentsql.D101) Column logs.body is json.\n"
        "    HINT: By hand.\n"
        "(agentsql.D110) Column logs.body has a comment.\n"
        "To make it, a run would do:\n"
        "    A;\n"
        "    B;"
    )


def test_what_the_models_do_not_know():
    old = Subject(
        key=column("old").key,
        name="old",
        state=State.EXTRA,
        model="",
        facts=(Fact("type", "", "integer", differs=False),),
    )
    assert explanation_text(told(old)).splitlines() == [
        "logs",
        "                              the models want  the database has",
        "    column old (extra)  type                   integer",
    ]


def test_long_facts_do_not_widen_the_table():
    """What does not fit pushes the other side to a line of its own; where both are alike, once is enough."""
    facts = (
        Fact("definition", LONG, f"lower({LONG})", differs=True),
        Fact("where", LONG, LONG, differs=False),
        Fact("default", "a\n  b", "c", differs=True),
    )
    lines = explanation_text(told(replace(INDEX, facts=facts))).splitlines()
    start = lines[1].index("the database has")
    assert lines[2].endswith(f"definition  {LONG}")
    assert lines[3] == " " * start + f"lower({LONG})"
    assert lines[5] == " " * start + "the same"
    assert lines[6].split("default")[1].split() == ["a", "b", "c"]


def test_several_tables_and_none():
    ai = Subject(key=Key(TableName("ai", "logs"), Kind.TABLE), name="logs", state=State.MISSING, model="", facts=())
    vector = Subject(
        key=Extension(name="vector").key,
        name="vector",
        state=State.SHARED,
        model="",
        facts=(Fact("exists", "yes", "yes", differs=False),),
    )
    lines = explanation_text(told(TABLE, ai, vector)).splitlines()
    assert [line.split()[0] for line in lines] == [
        "logs",
        "the",
        "table",
        "ai.logs",
        "the",
        "table",
        "the",
        "extension",
    ]


def test_what_was_not_compared():
    assert explanation_text(told(BODY, uncompared={LOGS: "it is locked"})).splitlines()[-1] == (
        "Compared in part only, logs: it is locked"
    )


def test_colors():
    style = color_style(force_color=True)
    _, _, first, second, *_ = explanation_text(told(BODY), style).splitlines()
    assert first.startswith(style.WARNING("x").partition("x")[0])
    assert "\x1b" not in second


def test_json():
    found = told(INDEX, findings=(WARNING,), steps=(step(INDEX.key, sql=("A", "B")),), uncompared={LOGS: "locked"})
    assert json.loads(explanation_json(found)) == {
        "objects": [
            {
                "object": "index logs(i)",
                "table": "logs",
                "kind": "index",
                "name": "i",
                "model": "plug.Log",
                "state": "missing",
                "facts": [{"name": "keys", "wanted": "at", "found": "", "differs": False}],
            }
        ],
        "uncompared": {"logs": "locked"},
        "findings": [
            {
                "id": "agentsql.D101",
                "level": "warning",
                "object": "logs.body",
                "message": "Column logs.body is json.",
                "hint": "By hand.",
            }
        ],
        "sql": ["A", "B"],
    }
