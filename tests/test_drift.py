"""What both sides have and what differs in it."""

import pytest
from django.core.checks import WARNING

from agentsql import drift
from agentsql.diff import diff
from agentsql.schema import Kind, TypeId, schema_of
from tests.support import LOGS, column, constraint, index, table

TEXT, SMALLINT, INTEGER, BIGINT = TypeId(25, -1), TypeId(21, -1), TypeId(23, -1), TypeId(20, -1)
VARCHAR_20, VARCHAR_30 = TypeId(1043, 24), TypeId(1043, 34)
TYPES = {
    "text": TEXT,
    "smallint": SMALLINT,
    "integer": INTEGER,
    "bigint": BIGINT,
    "varchar(20)": VARCHAR_20,
    "varchar(30)": VARCHAR_30,
}


def check(wanted, found):
    return list(drift.check(diff(schema_of([wanted]), schema_of([found])), TYPES))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (column(kind="text"), column(kind="text", type_id=TEXT)),
        (column(kind="varchar(20)"), column(kind="character varying(20)", type_id=VARCHAR_20)),
        (column(kind="integer"), column(kind="bigint", type_id=BIGINT)),
        (column(kind="smallint"), column(kind="integer", type_id=INTEGER)),
        (column(kind="unheard of"), column(kind="text", type_id=TEXT)),
        (table(), table()),
        (index("a", "at"), index("a", "at")),
        (index("a", "at"), index("b", "at")),
        (constraint(Kind.UNIQUE, "a"), index("b", "a", unique=True)),
        (constraint(Kind.UNIQUE, "a"), constraint(Kind.UNIQUE, "a", name="b")),
        (constraint(Kind.CHECK, name="c", expression="n > 0"), constraint(Kind.CHECK, name="c", expression="m")),
        (constraint(Kind.CHECK, name="c"), constraint(Kind.CHECK, name="c", validated=False)),
        (column(), column(type_id=BIGINT, not_null=False, filled=False)),
    ],
    ids=[
        "same type",
        "same type in other words",
        "bigint for integer",
        "integer for smallint",
        "type that was not asked for",
        "table",
        "index",
        "index of another name",
        "unique index",
        "unique constraint",
        "expressions are not compared",
        "constraint that was never validated",
        "column that is not filled",
    ],
)
def test_nothing_to_say(wanted, found):
    assert check(wanted, found) == []


@pytest.mark.parametrize(
    ("asked", "type_id", "words"),
    [
        ("bigint", INTEGER, "integer"),
        ("integer", SMALLINT, "smallint"),
        ("integer", TEXT, "text"),
        ("text", BIGINT, "bigint"),
        ("varchar(30)", VARCHAR_20, "character varying(20)"),
        ("varchar(20)", VARCHAR_30, "character varying(30)"),
        ("varchar(20)", TEXT, "text"),
    ],
)
def test_other_type(asked, type_id, words):
    (finding,) = check(column(kind=asked), column(kind=words, type_id=type_id))
    assert (finding.id, finding.level, finding.obj) == ("agentsql.D101", WARNING, "logs.body")
    assert finding.msg == f"Column logs.body is {words}; the model wants {asked}."
    assert finding.hint == (
        f'automigrate never changes a type. By hand: ALTER TABLE "logs" ALTER COLUMN "body" TYPE {asked} '
        f'USING "body"::{asked};'
    )


@pytest.mark.parametrize(
    ("wanted", "words", "verb"),
    [
        (True, "Column logs.body allows NULL; the model wants NOT NULL.", "SET"),
        (False, "Column logs.body is NOT NULL; the model wants NULL.", "DROP"),
    ],
)
def test_other_nullability(wanted, words, verb):
    (finding,) = check(column(not_null=wanted), column(not_null=not wanted, type_id=TEXT))
    assert (finding.id, finding.level, finding.obj, finding.msg) == ("agentsql.D102", WARNING, "logs.body", words)
    assert finding.hint == f'By hand: ALTER TABLE "logs" ALTER COLUMN "body" {verb} NOT NULL;'


@pytest.mark.parametrize(
    "found",
    [index("a", "id"), index("a", "at", method="brin"), index("a", "at", "id"), index("a", "at", unique=True)],
    ids=["column", "method", "width", "unique"],
)
def test_other_index_of_that_name(found):
    (finding,) = check(index("a", "at"), found)
    assert (finding.id, finding.level, finding.obj) == ("agentsql.D103", WARNING, "index logs(a)")
    assert finding.msg == (
        f"The index logs(a) is another index than the model's: {found.structure.method} on "
        f"({', '.join(found.columns)}), not btree on (at)."
    )
    assert finding.hint == "Give the model's index another name, or drop the one that exists and run automigrate again."


@pytest.mark.parametrize("kind", [Kind.CHECK, Kind.FOREIGN_KEY])
def test_a_constraint_that_is_not_enforced(kind):
    wanted, found = (
        constraint(kind, "a", name='we"ird', target=LOGS, target_columns=("id",), **facts)
        for facts in ({}, {"enforced": False, "validated": False})
    )
    (finding,) = check(wanted, found)
    assert (finding.id, finding.level, finding.obj) == ("agentsql.D104", WARNING, str(wanted.key))
    assert finding.msg == 'The constraint we"ird of logs is NOT ENFORCED: rows may break it.'
    assert finding.hint.startswith('ALTER TABLE "logs" ALTER CONSTRAINT "we""ird" ENFORCED; ')


def test_several_findings_of_one_column():
    found = check(column(kind="bigint"), column(kind="integer", type_id=INTEGER, not_null=False))
    assert [finding.id for finding in found] == ["agentsql.D101", "agentsql.D102"]


def test_hints_can_be_run():
    name = 'we"ird'
    (finding,) = check(column(name), column(name, type_id=TEXT, not_null=False))
    assert finding.hint == 'By hand: ALTER TABLE "logs" ALTER COLUMN "we""ird" SET NOT NULL;'


@pytest.mark.parametrize(
    ("found", "asked", "wider"),
    [
        (BIGINT, INTEGER, True),
        (BIGINT, SMALLINT, True),
        (INTEGER, BIGINT, False),
        (BIGINT, BIGINT, False),
        (TEXT, INTEGER, False),
        (BIGINT, TEXT, False),
        (None, INTEGER, False),
        (BIGINT, None, False),
    ],
)
def test_is_wider_integer(found, asked, wider):
    assert drift.is_wider_integer(found, asked) is wider
