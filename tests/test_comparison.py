"""What differs between what both sides have: at a glance, and thoroughly."""

from dataclasses import replace

import pytest

from agentsql.comparison import (
    FACTS,
    SERIAL,
    foreign_key,
    glance,
    is_wider_integer,
    place_of,
    thorough,
)
from agentsql.details import ColumnDetail, ConstraintDetail, IndexDetail, TableDetail
from agentsql.diff import diff
from agentsql.schema import Kind, TypeId, schema_of
from tests.support import LOGS, column, constraint, index, table

TEXT, SMALLINT, INTEGER, BIGINT = TypeId(25, -1), TypeId(21, -1), TypeId(23, -1), TypeId(20, -1)
NUMERIC = TypeId(1700, -1)
VARCHAR_20, VARCHAR_30 = TypeId(1043, 24), TypeId(1043, 34)
TYPES = {
    "text": TEXT,
    "smallint": SMALLINT,
    "integer": INTEGER,
    "bigint": BIGINT,
    "varchar(20)": VARCHAR_20,
    "varchar(30)": VARCHAR_30,
}


def glanced(wanted, found):
    difference = diff(schema_of([wanted]), schema_of([found]))
    return [(one.name, one.fact, one.wanted, one.found) for one in glance(difference, TYPES)]


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
def test_nothing_at_a_glance(wanted, found):
    assert glanced(wanted, found) == []


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
def test_another_type_at_a_glance(asked, type_id, words):
    assert glanced(column(kind=asked), column(kind=words, type_id=type_id)) == [("body", "type", asked, words)]


@pytest.mark.parametrize("wanted", [True, False])
def test_another_nullability_at_a_glance(wanted):
    found = glanced(column(not_null=wanted), column(not_null=not wanted, type_id=TEXT))
    assert found == [("body", "not_null", wanted, not wanted)]


@pytest.mark.parametrize(
    "found",
    [index("a", "id"), index("a", "at", method="brin"), index("a", "at", "id"), index("a", "at", unique=True)],
    ids=["column", "method", "width", "unique"],
)
def test_another_index_at_a_glance(found):
    wanted = index("a", "at")
    assert glanced(wanted, found) == [("a", "structure", wanted.structure, found.structure)]


def test_a_constraint_that_is_not_enforced():
    wanted, found = (constraint(Kind.CHECK, name="a", **facts) for facts in ({}, {"enforced": False}))
    assert glanced(wanted, found) == [("a", "enforced", True, False)]


COLUMN = ColumnDetail(
    type="integer",
    type_id=INTEGER,
    not_null=True,
    default="",
    generated="",
    identity="",
    collation="",
    comment="",
)
CHECK = ConstraintDetail(
    definition="(body > 0)", match=" ", on_delete=" ", on_update=" ", deferrable=False, deferred=False
)
INDEX = IndexDetail(
    method="btree",
    parts=("body", "other"),
    opclasses=("int4_ops", "int4_ops"),
    options=(0, 0),
    collations=("", ""),
    include=(),
    predicate="",
    unique=False,
    nulls_not_distinct=False,
    storage=frozenset(),
    tablespace="",
)
TABLE = TableDetail(comment="", persistence="p", owner="ann")
ITEMS = [
    (table(), TABLE),
    (column(), COLUMN),
    (constraint(Kind.CHECK, name="c"), CHECK),
    (index("i", "body", "other"), INDEX),
]


def differences(*pairs):
    """Compare (item, wanted, found) of one table."""
    schema = schema_of([item for item, *_ in pairs])
    wanted = {item.key: detail for item, detail, _ in pairs if detail is not None}
    found = {place_of(item): detail for item, _, detail in pairs if detail is not None}
    return [(str(one.key), one.fact, one.wanted, one.found) for one in thorough(diff(schema, schema), wanted, found)]


def told(item, wanted, found):
    return [fact for _, fact, *_ in differences((item, wanted, found))]


@pytest.mark.parametrize(("item", "detail"), ITEMS)
def test_alike(item, detail):
    assert told(item, detail, replace(detail)) == []


@pytest.mark.parametrize(
    ("item", "detail", "fact", "part"),
    [
        (item, detail, fact, part)
        for item, detail in ITEMS
        for fact, parts in FACTS[type(detail)].items()
        for part in parts
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fact_is_told_alone(item, detail, fact, part):
    assert told(item, detail, replace(detail, **{part: "other"})) == [fact]


@pytest.mark.parametrize(("item", "detail"), [(ITEMS[0][0], TABLE), (ITEMS[2][0], CHECK)])
def test_what_is_for_people_is_not_compared(item, detail):
    changed = {"owner": "bob"} if detail is TABLE else {"text": "CHECK (true)"}
    assert told(item, detail, replace(detail, **changed)) == []


@pytest.mark.parametrize(("wanted", "found"), [(None, COLUMN), (COLUMN, None)])
def test_what_one_side_does_not_know_is_not_compared(wanted, found):
    assert told(column(), wanted, found) == []


def test_a_unique_index_for_a_constraint_is_known_by_its_structure():
    wanted, found = constraint(Kind.UNIQUE, "a", name="u"), index("i", "a", unique=True)
    difference = diff(schema_of([wanted]), schema_of([found]))
    assert list(thorough(difference, {wanted.key: CHECK}, {place_of(found): INDEX})) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({"identity": "d"}, {"default": "nextval('s'::regclass)"}, [("identity", "d", SERIAL)]),
        ({"identity": "d"}, {"default": "next_id()"}, [("identity", "d", SERIAL)]),
        ({"identity": "d"}, {"default": "0"}, [("identity", "d", "")]),
        ({"identity": "d"}, {"default": "(7)::numeric(5,0)"}, [("identity", "d", "")]),
        ({"identity": "d"}, {"identity": "a"}, [("identity", "d", "a")]),
        ({"generated": "s: 1"}, {"default": "2"}, [("generated", "s: 1", "")]),
        ({"default": "'it''s'::text"}, {"default": "'it''s'::character varying"}, []),
        (
            {"default": "'a'::text"},
            {"default": "'b'::character varying"},
            [("default", "'a'::text", "'b'::character varying")],
        ),
        ({"default": "'1'::text"}, {"default": "'1'::bpchar"}, [("default", "'1'::text", "'1'::bpchar")]),
        ({"default": "'a'::text"}, {"default": "upper('a'::text)"}, [("default", "'a'::text", "upper('a'::text)")]),
        ({"collation": "c.c"}, {"collation": "c.c", "deterministic": False}, []),
        ({"default": "5"}, {"default": "(5)::numeric", "type_id": NUMERIC, "type": "n"}, [("type", "integer", "n")]),
        ({}, {"type_id": BIGINT, "type": "bigint"}, []),
        (
            {"collation": "c.c", "type_id": VARCHAR_20, "type": "v"},
            {"collation": "c.c", "type_id": TEXT, "type": "text"},
            [("type", "v COLLATE c.c", "text")],
        ),
    ],
)
def test_one_thing_is_told_once(ours, theirs, expected):
    found = differences((column(), replace(COLUMN, **ours), replace(COLUMN, **theirs)))
    assert [(fact, wanted, is_) for _, fact, wanted, is_ in found] == expected


NUMBER = (column(), COLUMN, replace(COLUMN, type="numeric", type_id=NUMERIC))
OTHER = {"opclasses": ("numeric_ops", "int4_ops")}


@pytest.mark.parametrize(
    ("item", "ours", "change", "echo"),
    [
        (ITEMS[2][0], CHECK, {"definition": "(body > (0)::numeric)"}, True),
        (ITEMS[2][0], CHECK, {"definition": "(body > (1)::numeric)"}, False),
        (ITEMS[2][0], replace(CHECK, definition="(other > 0)"), {"definition": "(other > (0)::numeric)"}, False),
        (ITEMS[2][0], CHECK, {"deferrable": True}, False),
        (ITEMS[3][0], INDEX, OTHER, True),
        (ITEMS[3][0], INDEX, {"opclasses": ("numeric_ops", "numeric_ops")}, False),
        (ITEMS[3][0], INDEX, {"collations": ("c", "")}, True),
        (ITEMS[3][0], INDEX, {"collations": ("", "c")}, False),
        (ITEMS[3][0], INDEX, OTHER | {"options": (1, 0)}, False),
        (ITEMS[3][0], INDEX, OTHER | {"unique": True}, False),
    ],
)
def test_what_comes_with_another_type_is_not_told_again(item, ours, change, echo):
    facts = [fact for key, fact, *_ in differences(NUMBER, (item, ours, replace(ours, **change)))]
    assert facts[0] == "type"
    assert (len(facts) == 1) is echo


def test_without_another_type_casts_count():
    assert told(ITEMS[2][0], CHECK, replace(CHECK, definition="(body > (0)::numeric)")) == ["definition"]


def test_another_index_is_told_once():
    assert told(ITEMS[3][0], INDEX, replace(INDEX, method="hash", storage=frozenset({"a=1"}))) == ["structure"]


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("", ("a", False, False)),
        (" ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED", ("c", True, True)),
        (" ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE", ("n", True, False)),
        (" ON DELETE SET DEFAULT", ("d", False, False)),
    ],
)
def test_what_a_foreign_key_says(end, expected):
    detail = foreign_key(f'ALTER TABLE "a" ADD CONSTRAINT "c" FOREIGN KEY ("b") REFERENCES "d" ("id"){end}')
    assert (detail.on_delete, detail.deferrable, detail.deferred) == expected


@pytest.mark.parametrize(
    ("item", "place"),
    [
        (table(), (LOGS, Kind.TABLE, "")),
        (column("a"), (LOGS, Kind.COLUMN, "a")),
        (index("i", "a"), (LOGS, Kind.INDEX, "i")),
        (constraint(Kind.UNIQUE, "a", "b", name="u"), (LOGS, Kind.UNIQUE, "u")),
    ],
)
def test_places(item, place):
    assert place_of(item) == place


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
    assert is_wider_integer(found, asked) is wider
