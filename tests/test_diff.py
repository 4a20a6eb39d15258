"""Missing, shared, extra; and what goes by another name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsql.diff import diff, squeeze
from agentsql.names import TableName
from agentsql.schema import Kind, schema_of
from tests.support import column as column_of
from tests.support import constraint, index, structure, table

ELSEWHERE = TableName("", "elsewhere")


def keys(*items):
    return {item.key for item in items}


def test_three_parts():
    body, old, new = column_of("body"), column_of("old"), column_of("new")
    found = column_of("body", "varchar(20)")
    difference = diff(schema_of([table(), body, new]), schema_of([table(), found, old]))
    assert difference.missing == schema_of([new])
    assert difference.extra == schema_of([old])
    assert difference.shared == {table().key: (table(), table()), body.key: (body, found)}


UNIQUE_INDEX = index("x", "a", "b", unique=True)
CHECK = constraint(Kind.CHECK, "n", name="logs_n_check", expression='"n" >= 0')


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (index("new", "at"), index("old", "at")),
        (index("new", "tags", method="gin"), index("old", "tags", method="gin")),
        (index("new", "at", include=("id",)), index("old", "at", include=("id",))),
        (constraint(Kind.UNIQUE, "a", "b"), UNIQUE_INDEX),
        (constraint(Kind.UNIQUE, "a", nulls_distinct=False), index("x", "a", unique=True, nulls_distinct=False)),
        (CHECK, constraint(Kind.CHECK, "n", name="positive", expression="(n >= 0)")),
        (CHECK, constraint(Kind.CHECK, "n", name="positive", expression="((n)::numeric >= (0)::numeric)")),
        (constraint(Kind.UNIQUE, "a", name="x"), constraint(Kind.UNIQUE, "a", name="y")),
        (constraint(Kind.PRIMARY_KEY, "id"), constraint(Kind.PRIMARY_KEY, "key")),
    ],
    ids=["index", "method", "include", "unique index", "nulls", "check", "check casts", "unique name", "primary key"],
)
def test_known_by_another_name(wanted, found):
    difference = diff(schema_of([wanted]), schema_of([found]))
    assert (difference.missing, difference.extra) == ({}, {})
    assert difference.shared == {wanted.key: (wanted, found)}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (index("new", "at"), index("old", "at", table=ELSEWHERE)),
        (index("new", "at"), index("old", "at", "id")),
        (index("new", "a", "b"), index("old", "b", "a")),
        (index("new", "at"), index("old", "at", method="brin")),
        (index("new", "at"), index("old", "at", opclasses=("text_pattern_ops",))),
        (index("new", "at"), index("old", "at", unique=True)),
        (index("new", "at"), index("old", "at", include=("id",))),
        (constraint(Kind.UNIQUE, "a", "b", deferrable=True), UNIQUE_INDEX),
        (constraint(Kind.UNIQUE, "a", "b", nulls_distinct=False), UNIQUE_INDEX),
        (constraint(Kind.UNIQUE, "b", "a"), UNIQUE_INDEX),
        (constraint(Kind.CHECK, name="c", expression="n >= 0"), constraint(Kind.CHECK, name="d", expression="n >= 0")),
        (CHECK, constraint(Kind.CHECK, "m", name="positive", expression="n >= 0")),
        (CHECK, constraint(Kind.CHECK, "n", name="positive", expression="(n > 0)")),
    ],
    ids=[
        "table",
        "width",
        "order",
        "method",
        "operator class",
        "unique",
        "include",
        "deferrable",
        "nulls",
        "unique order",
        "check of no column",
        "check of another column",
        "another check",
    ],
)
def test_something_else(wanted, found):
    difference = diff(schema_of([wanted]), schema_of([found]))
    assert (keys(*difference.missing.values()), keys(*difference.extra.values())) == (keys(wanted), keys(found))


def test_what_cannot_be_compared_goes_by_its_name_only():
    opaque = index("a", "at").__class__(table=table().table, name="a", structure=None)
    other = index("b", "at").__class__(table=table().table, name="b", structure=None)
    assert diff(schema_of([opaque]), schema_of([other])).missing == schema_of([opaque])
    assert diff(schema_of([opaque]), schema_of([index("a", "at")])).missing == {}


def test_one_index_is_not_taken_for_two():
    wanted = [index("first", "at"), index("second", "at")]
    difference = diff(schema_of(wanted), schema_of([index("old", "at")]))
    assert list(difference.missing) == [wanted[1].key]
    assert list(difference.extra) == []


def test_an_index_with_the_wanted_name_is_not_renamed():
    wanted = [index("a", "at"), index("b", "at")]
    difference = diff(schema_of(wanted), schema_of([index("b", "at")]))
    assert list(difference.missing) == [wanted[0].key]


FOREIGN = {"target": TableName("", "rooms"), "target_columns": ("id",)}
DEFERRED = constraint(Kind.UNIQUE, "a", name="a_key", deferrable=True)
HALVES = {
    "invalid index": (index("wanted", "at"), index("wanted", "at", valid=False)),
    "unfilled column": (column_of("body"), column_of("body", filled=False)),
    "check": (CHECK, constraint(Kind.CHECK, "n", name="positive", expression="(n >= 0)", validated=False)),
    "foreign key": (
        constraint(Kind.FOREIGN_KEY, "a", **FOREIGN),
        constraint(Kind.FOREIGN_KEY, "a", name="a_fk", validated=False, **FOREIGN),
    ),
    "unique index": (constraint(Kind.UNIQUE, "a", name="a_key"), index("a_key", "a", unique=True)),
    "invalid unique index": (
        constraint(Kind.UNIQUE, "a", name="a_key"),
        index("a_key", "a", unique=True, valid=False),
    ),
    "index of a deferrable": (DEFERRED, index("a_key", "a", unique=True)),
    "index of a primary key": (constraint(Kind.PRIMARY_KEY, "a", name="a_key"), index("a_key", "a", unique=True)),
}


@pytest.mark.parametrize(("wanted", "half"), HALVES.values(), ids=HALVES)
def test_half_of_an_object_is_missing_and_begun(wanted, half):
    difference = diff(schema_of([wanted]), schema_of([half]))
    assert (difference.missing, difference.shared) == (schema_of([wanted]), {})
    assert difference.begun == {wanted.key: half}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (index("wanted", "at"), index("other", "at", valid=False)),
        (constraint(Kind.UNIQUE, "a", name="a_key"), index("a_key", "b", unique=True)),
        (constraint(Kind.UNIQUE, "a", name="a_key", deferrable=True), index("other", "a", unique=True)),
        (constraint(Kind.PRIMARY_KEY, "a", name="a_key"), index("other", "a", unique=True)),
        (column_of("body"), column_of("other", filled=False)),
    ],
    ids=["invalid index", "index on another column", "index of another name", "index beside a key", "column"],
)
def test_what_was_not_begun(wanted, found):
    difference = diff(schema_of([wanted]), schema_of([found]))
    assert (difference.missing, difference.begun) == (schema_of([wanted]), {})


def test_arguments_stay_as_they_are():
    wanted, found = schema_of([index("new", "at")]), schema_of([index("old", "at")])
    assert diff(wanted, found).shared.keys() == wanted.keys()
    assert wanted == schema_of([index("new", "at")])
    assert found == schema_of([index("old", "at")])


NAME = st.sampled_from("abc")
OBJECT = st.one_of(
    st.builds(column_of, NAME),
    st.builds(index, NAME, NAME),
    st.builds(index, NAME, NAME, unique=st.just(True)),
    st.builds(lambda *columns: constraint(Kind.UNIQUE, *columns), NAME, NAME),
    st.builds(lambda name, column: constraint(Kind.CHECK, column, name=name, expression=f"{column} > 0"), NAME, NAME),
)
SCHEMA = st.lists(OBJECT, max_size=8).map(schema_of)


@given(SCHEMA, SCHEMA)
def test_parts_add_up(desired, actual):
    difference = diff(desired, actual)
    found = [*difference.extra.values(), *(pair[1] for pair in difference.shared.values())]
    assert sorted(map(str, found)) == sorted(map(str, actual.values()))
    assert difference.missing.keys() | difference.shared.keys() == desired.keys()
    assert not difference.missing.keys() & difference.shared.keys()
    assert all(key.table == pair[1].table for key, pair in difference.shared.items())


@given(SCHEMA)
def test_a_schema_equals_itself(schema):
    difference = diff(schema, schema)
    assert (difference.missing, difference.extra) == ({}, {})
    assert diff(schema, {}).missing == schema


@pytest.mark.parametrize(
    ("wanted", "found", "alike"),
    [
        ('"n" >= 0', "(n >= 0)", True),
        ('"n" >= 0', "((n)::double precision >= (0)::double precision)", True),
        ('"n" >= 0', "(n > 0)", False),
        ('"n" >= 0', "(n >= 10)", False),
        ('"n" >= 0', "(m >= 0)", False),
    ],
)
def test_squeeze(wanted, found, alike):
    assert (squeeze(wanted) == squeeze(found)) is alike


def test_structure_has_no_name():
    assert index("a", "at").structure == index("b", "at").structure == structure("at")
