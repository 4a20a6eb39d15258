"""A report as text, JSON and SQL, to the letter."""

import pytest
from django.core.checks import Error, Info, Warning  # noqa: A004 Django's name for it
from django.core.management.color import color_style, no_style

from agentsql.names import TableName
from agentsql.renderers import FORMATS, as_json, github, sql, text, text_progress, text_step, text_tail
from agentsql.renderers.people import text_finding
from agentsql.report import Failure, Progress, Result
from agentsql.schema import Extension, Kind
from agentsql.step import Mode
from tests.support import action, column, constraint, index, outcome, report, step, table

AI = TableName("ai", "logs")
EXTENSION = step(
    Extension(name="hstore").key, name="hstore", sql=('CREATE EXTENSION IF NOT EXISTS "hstore"',), model=""
)
TABLE = step(
    table().key,
    column("id").key,
    column("größe").key,
    constraint(Kind.PRIMARY_KEY, "id").key,
    sql=('CREATE TABLE "logs" ("id" bigint, "größe" text)', "COMMENT ON TABLE \"logs\" IS 'it''s'"),
)
INDEX = step(
    index("logs_at", "at").key,
    name="logs_at",
    sql=('CREATE INDEX "logs_at" ON "logs" ("at")',),
    lock="SHARE",
    mode=Mode.OWN,
    requires=frozenset({column("at").key}),
)
CHECK = step(constraint(Kind.CHECK, name="c").key, name="c", sql=("ALTER TABLE ...",))
OTHER = step(column(table=AI).key, name="body", app="blog", model="blog.Log")
FAILURE = Failure(message='relation "logs" does not exist', hint="Make it.", sqlstate="42P01")
ERROR = Error("No default.", hint="Give one.", obj="logs.body", id="agentsql.D004")
WARNING = Warning("Another type.", obj="logs.n", id="agentsql.D101")
INFO = Info("A comment.", obj="logs", id="agentsql.D110")
LOCKED = Warning("Not yours.", obj="permissions", id="agentsql.D105")
PLAN = report(
    *(outcome(Result.PENDING, of=planned) for planned in (EXTENSION, TABLE, INDEX, OTHER)),
    findings=(WARNING,),
    remaining=7,
)
TROUBLE = report(
    outcome(of=TABLE, seconds=0.0124),
    outcome(Result.FAILED, of=INDEX, failure=FAILURE, seconds=0.1),
    outcome(Result.SKIPPED, of=CHECK, failure=Failure(message="needs logs.at")),
    findings=(ERROR,),
    remaining=3,
)


def test_plan_as_text():
    assert text(PLAN) == (
        "plug\n"
        "  + extension hstore\n"
        "  logs\n"
        "    + table, 2 columns\n"
        "    + index logs_at\n"
        "blog\n"
        "  ai.logs\n"
        "    + column body\n"
        "To make: 1 extension, 1 table, 3 columns, 1 index.\n"
        "1 finding: 1 warning.\n"
        "logs.n: (agentsql.D101) Another type."
    )


def test_trouble_as_text():
    done = "    + table, 2 columns"
    assert text(TROUBLE) == (
        "plug\n"
        "  logs\n"
        f"{done:66}OK 0.012 s\n"
        f"{'    ! index logs_at':66}FAILED\n"
        '      relation "logs" does not exist\n'
        '      CREATE INDEX "logs_at" ON "logs" ("at");\n'
        "      HINT: Make it.\n"
        f"{'    ! check c':66}SKIPPED\n"
        "      needs logs.at\n"
        "1 table, 2 columns in 0.50 s; 2 of 3 steps did not succeed; 3 objects still missing.\n"
        "1 finding: 1 error.\n"
        "logs.body: (agentsql.D004) No default.\n"
        "    HINT: Give one."
    )


@pytest.mark.parametrize(
    ("verbosity", "more"),
    [
        (0, ""),
        (1, ""),
        (2, '\n        CREATE INDEX "logs_at" ON "logs" ("at");'),
        (3, '\n        CREATE INDEX "logs_at" ON "logs" ("at");\n        lock: SHARE; transaction: own'),
    ],
)
def test_verbosity(verbosity, more):
    shown = outcome(Result.PENDING, of=INDEX)
    assert text_step(shown, verbosity=verbosity) == "plug\n  logs\n    + index logs_at" + more
    assert text_step(shown, shown, verbosity=verbosity) == "    + index logs_at" + more


def test_no_lock_is_told_too():
    assert text_step(outcome(Result.PENDING, of=CHECK), verbosity=3).endswith("lock: none; transaction: shared")


def test_a_step_of_several_actions_tells_the_lock_of_each():
    actions = [
        action("ALTER ... NOT VALID", mode=Mode.OWN, lock="ACCESS EXCLUSIVE"),
        action("ALTER ... VALIDATE", mode=Mode.OUTSIDE, lock="SHARE UPDATE EXCLUSIVE"),
    ]
    check = step(constraint(Kind.CHECK, name="c").key, name="c", actions=actions)
    assert text_step(outcome(Result.PENDING, of=check), verbosity=3).splitlines()[2:] == [
        "    + check c",
        "        ALTER ... NOT VALID;",
        "        lock: ACCESS EXCLUSIVE; transaction: own",
        "        ALTER ... VALIDATE;",
        "        lock: SHARE UPDATE EXCLUSIVE; transaction: outside",
    ]


def test_a_step_that_was_stopped():
    assert text_step(outcome(Result.STOPPED, of=INDEX)).splitlines()[-1] == f"{'    - index logs_at':66}NOT MADE"


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"doing": "validating"}, "    … index logs_at: validating, 3 s"),
        (
            {"doing": "building", "done": 1, "total": 4},
            "    … index logs_at: building [#####               ]  25%, 3 s",
        ),
        (
            {"doing": "building", "done": 0, "total": 4},
            "    … index logs_at: building [                    ]   0%, 3 s",
        ),
        (
            {"doing": "building", "done": 9, "total": 4},
            "    … index logs_at: building [####################] 100%, 3 s",
        ),
    ],
    ids=["unknown", "part", "none", "more than all"],
)
def test_progress(facts, line):
    assert text_progress(Progress(step=INDEX, seconds=3.2, **facts)) == line


def test_colors():
    style = color_style(force_color=True)
    assert style.ERROR("FAILED") in text(TROUBLE, style)
    assert style.MIGRATE_HEADING("plug") in text(TROUBLE, style)
    assert "\x1b" not in text(TROUBLE)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (report(plugins=("a", "b")), "Nothing to do: the schema holds all of 2 plugins' models."),
        (report(outcome(of=OTHER)), "1 column in 0.50 s."),
        (report(outcome(of=TABLE), outcome(of=INDEX)), "1 table, 2 columns, 1 index in 0.50 s."),
        (report(remaining=1), "1 object still missing, in 0.50 s."),
        (
            report(findings=(Error("e", obj="o", id="i"),), remaining=1),
            "1 object still missing, in 0.50 s.\n1 finding: 1 error.\no: (i) e",
        ),
        (
            report(findings=(Error("e", obj="o", id="i"),), plugins=(), looked=False),
            "Nothing was made, in 0.50 s.\n1 finding: 1 error.\no: (i) e",
        ),
        (
            report(outcome(Result.FAILED, of=INDEX, failure=FAILURE), remaining=2),
            "Nothing made in 0.50 s; 1 of 1 steps did not succeed; 2 objects still missing.",
        ),
        (
            report(outcome(of=OTHER), outcome(Result.STOPPED, of=INDEX), remaining=1),
            "1 column in 0.50 s; 1 of 2 steps did not succeed; 1 object still missing.",
        ),
    ],
    ids=["nothing to do", "column", "table", "left out", "blocked", "not looked at", "failed", "stopped"],
)
def test_summary(made, words):
    assert text_tail(made) == words


def test_summary_of_one_plugin():
    assert text_tail(report()) == "Nothing to do: the schema holds all of 1 plugin's models."


def test_summary_of_a_check():
    assert text_tail(report(outcome(Result.PENDING, of=CHECK), remaining=1)) == "To make: 1 check."


def test_findings_come_by_level():
    """Errors first, and each level in the order found; information is counted, until it is asked for."""
    findings = (INFO, WARNING, ERROR, Warning("Allows NULL.", obj="logs.n", id="agentsql.D102"))
    head = "1 column in 0.50 s."
    shown = [
        "Errors:",
        "logs.body: (agentsql.D004) No default.",
        "    HINT: Give one.",
        "Warnings:",
        "logs.n: (agentsql.D101) Another type.",
        "logs.n: (agentsql.D102) Allows NULL.",
    ]
    count = "4 findings: 1 error, 2 warnings, 1 piece of information"
    made = report(outcome(of=OTHER), findings=findings)
    assert text_tail(made).splitlines() == [head, f"{count} (-v 2 shows it).", *shown]
    assert text_tail(made, verbosity=0).splitlines() == [head, f"{count}.", *shown]
    assert text_tail(made, verbosity=2).splitlines() == [
        head,
        f"{count}.",
        *shown,
        "Information:",
        "logs: (agentsql.D110) A comment.",
    ]


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ((WARNING,), "1 difference left as found: 1 warning.\nlogs.n: (agentsql.D101) Another type."),
        ((INFO, INFO), "2 differences left as found: 2 pieces of information (-v 2 shows them)."),
        (
            (LOCKED, INFO),
            (
                "1 difference left as found.\n"
                "2 findings: 1 warning, 1 piece of information (-v 2 shows it).\n"
                "permissions: (agentsql.D105) Not yours."
            ),
        ),
    ],
    ids=["differences", "information", "another thing, too"],
)
def test_what_is_left_as_found(findings, words):
    assert text_tail(report(findings=findings)) == f"Nothing to add to the schema for 1 plugin's models; {words}"


def test_what_follows_a_run_is_no_difference():
    assert text_tail(report(findings=(LOCKED,))) == (
        "Nothing to do: the schema holds all of 1 plugin's models.\n"
        "1 finding: 1 warning.\n"
        "permissions: (agentsql.D105) Not yours."
    )


@pytest.mark.parametrize(
    ("name", "message", "line"),
    [
        ("logs.n", "Column logs.n is text.", "(x) Column logs.n is text."),
        ("index logs(i)", "The index logs(i) is another.", "(x) The index logs(i) is another."),
        ("check logs(c)", "Table logs has the check constraint c.", "(x) Table logs has the check constraint c."),
        ("logs", "Table catalogs is a view.", "logs: (x) Table catalogs is a view."),
        ("logs.n", "Column logs.name is text.", "logs.n: (x) Column logs.name is text."),
    ],
)
def test_an_object_is_told_once(name, message, line):
    found = report(findings=(Warning(message, obj=name, id="x"),), remaining=1)
    assert text_tail(found).splitlines()[-1] == line


def test_colors_of_levels():
    style = color_style(force_color=True)
    lines = text_tail(report(findings=(ERROR, WARNING, INFO), remaining=1), style, 2).splitlines()
    assert lines[0] == style.ERROR("1 object still missing, in 0.50 s.")
    assert lines[2] == "Errors:"
    assert lines[3] == style.ERROR("logs.body: (agentsql.D004) No default.\n    HINT: Give one.").splitlines()[0]
    assert lines[5:] == [
        "Warnings:",
        style.WARNING("logs.n: (agentsql.D101) Another type."),
        "Information:",
        "logs: (agentsql.D110) A comment.",
    ]


def test_formats():
    assert {"text": text, "json": as_json, "sql": sql, "github": github} == FORMATS
    assert "größe" in as_json(PLAN)


def test_what_is_quoted_looks_like_no_finding():
    finding = Warning(
        "Has the default 'a\nlogs: (agentsql.D999) All is lost'.", hint="SET\n  1", obj="logs", id="x.D106"
    )
    assert text_finding(finding, no_style()).splitlines() == [
        "(x.D106) Has the default 'a logs: (agentsql.D999) All is lost'.",
        "    HINT: SET 1",
    ]
