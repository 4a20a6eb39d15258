"""Identities, and the names that the server makes of ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentsql.names import TableName, chosen_name, clip, fill_name, quoted
from agentsql.schema import Extension, Key, Kind, Namespace, schema_of
from tests.support import LOGS, column, constraint, index, table

IDENTIFIER = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=80)
AI = TableName("ai", "logs")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a" * 63, "a" * 63),
        ("a" * 64, "a" * 63),
        ("é" * 31, "é" * 31),
        ("é" * 32, "é" * 31),  # 64 bytes; half of a letter is never kept
        ("a" + "é" * 31, "a" + "é" * 31),
        ("😀" * 16, "😀" * 15),
        ("", ""),
    ],
    ids=["fits", "one over", "two-byte fits", "two-byte cut", "two-byte full", "four-byte cut", "empty"],
)
def test_clip(name, kept):
    assert clip(name) == kept


@given(IDENTIFIER)
def test_clip_keeps_the_longest_beginning_that_fits(name):
    kept = clip(name)
    assert name.startswith(kept)
    assert len(kept.encode()) <= 63
    assert kept == name or len(name[: len(kept) + 1].encode()) > 63
    assert clip(kept) == kept


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("logs", "body", "check"), "logs_body_check"),
        (("logs", "", "pkey"), "logs_pkey"),
        (("t" * 63, "", "pkey"), "t" * 58 + "_pkey"),
        (("t" * 60, "body", "key"), "t" * 54 + "_body_key"),
        (("logs", "c" * 60, "key"), "logs_" + "c" * 54 + "_key"),
        (("t" * 40, "c" * 40, "key"), "t" * 29 + "_" + "c" * 29 + "_key"),
        (("t" * 40, "c" * 40, "check"), "t" * 28 + "_" + "c" * 28 + "_check"),
        (("t" * 40, "c" * 40, "fkey"), "t" * 29 + "_" + "c" * 28 + "_fkey"),
        (("é" * 31, "", "pkey"), "é" * 29 + "_pkey"),
    ],
    ids=[
        "short",
        "no column",
        "long table",
        "cut table",
        "cut column",
        "cut both, even",
        "cut both",
        "uneven",
        "two-byte",
    ],
)
def test_chosen_name(parts, name):
    """As PostgreSQL itself named them."""
    assert chosen_name(*parts) == name


@given(IDENTIFIER.map(clip), IDENTIFIER.map(clip), st.sampled_from(["key", "check", "pkey"]))
def test_chosen_name_fits_and_ends_in_its_label(first, second, label):
    name = chosen_name(first, second, label)
    assert len(name.encode()) <= 63
    assert name.endswith(f"_{label}")
    assert clip(name) == name


@pytest.mark.parametrize(
    ("name", "sql"),
    [("logs", '"logs"'), ("Order", '"Order"'), ('we"ird', '"we""ird"'), ("a b", '"a b"'), ("50%", '"50%"')],
)
def test_quoted(name, sql):
    assert quoted(name) == sql


def test_table_names():
    assert (str(LOGS), LOGS.quoted) == ("logs", '"logs"')
    assert (str(AI), AI.quoted) == ("ai.logs", '"ai"."logs"')
    assert TableName("", "a.b").quoted == '"a.b"'


FOREIGN = constraint(Kind.FOREIGN_KEY, "room_id", target=AI, target_columns=("id",))


@pytest.mark.parametrize(
    ("item", "key", "text"),
    [
        (Extension(name="vector"), Key(TableName("", ""), Kind.EXTENSION, ("vector",)), "extension vector"),
        (Namespace(name="ai"), Key(TableName("", ""), Kind.NAMESPACE, ("ai",)), "namespace ai"),
        (table(), Key(LOGS, Kind.TABLE), "logs"),
        (column(), Key(LOGS, Kind.COLUMN, ("body",)), "logs.body"),
        (column(table=AI), Key(AI, Kind.COLUMN, ("body",)), "ai.logs.body"),
        (index("logs_at", "at"), Key(LOGS, Kind.INDEX, ("logs_at",)), "index logs(logs_at)"),
        (constraint(Kind.CHECK, "n", name="c"), Key(LOGS, Kind.CHECK, ("c",)), "check logs(c)"),
        (constraint(Kind.PRIMARY_KEY, "id", name="pk"), Key(LOGS, Kind.PRIMARY_KEY), "primary key logs"),
        (constraint(Kind.UNIQUE, "a", "b"), Key(LOGS, Kind.UNIQUE, ("a", "b", "", "", "")), "unique logs(a, b)"),
        pytest.param(
            FOREIGN,
            Key(LOGS, Kind.FOREIGN_KEY, ("room_id", "", "ai", "logs", "", "id")),
            "foreign key logs(room_id)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_keys(item, key, text):
    assert item.key == key
    assert str(item.key) == text


@pytest.mark.parametrize(
    "other",
    [
        constraint(Kind.UNIQUE, "b", "a"),
        constraint(Kind.UNIQUE, "a"),
        constraint(Kind.UNIQUE, "a", "b", deferrable=True),
        constraint(Kind.UNIQUE, "a", "b", nulls_distinct=False),
        constraint(Kind.UNIQUE, "a", "b", table=AI),
    ],
    ids=["order", "columns", "deferrable", "nulls not distinct", "table"],
)
def test_unique_constraints_that_are_different(other):
    assert other.key != constraint(Kind.UNIQUE, "a", "b").key


def test_names_of_unique_and_foreign_keys_do_not_matter():
    assert constraint(Kind.UNIQUE, "a", name="x").key == constraint(Kind.UNIQUE, "a", name="y").key
    assert FOREIGN.key == constraint(Kind.FOREIGN_KEY, "room_id", name="f", target=AI, target_columns=("id",)).key
    assert FOREIGN.key != constraint(Kind.FOREIGN_KEY, "room_id", target=LOGS, target_columns=("id",)).key


def test_of_two_with_one_identity_the_first_stands():
    first, second = column(kind="text"), column(kind="bigint")
    assert schema_of([first, second, table()]) == {first.key: first, table().key: table()}


def test_of_two_with_one_identity_one_that_is_complete_stands():
    """A constraint that was never validated may have a twin under another name that was."""
    half, whole = constraint(Kind.UNIQUE, "a", name="x", validated=False), constraint(Kind.UNIQUE, "a", name="y")
    assert schema_of([half, whole]) == schema_of([whole, half]) == {whole.key: whole}
    assert schema_of([half]) == {half.key: half}


@pytest.mark.parametrize(
    ("item", "complete"),
    [
        (table(), True),
        (Extension(name="vector"), True),
        (column(), True),
        (column(filled=False), False),
        (index("i", "a"), True),
        (index("i", "a", valid=False), False),
        (constraint(Kind.CHECK, name="c"), True),
        (constraint(Kind.CHECK, name="c", validated=False), False),
        (constraint(Kind.CHECK, name="c", validated=False, enforced=False), True),
    ],
)
def test_what_is_half_made_is_not_complete(item, complete):
    assert item.complete is complete


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("token", "agentsql_fill_token"),
        ("c" * 49, "agentsql_fill_" + "c" * 49),
        ("c" * 50, "agentsql_fill_5a86e6c1b0513c2cd94fa22bcd00e13e"),
        ('we"ird', 'agentsql_fill_we"ird'),
    ],
    ids=["short", "fits", "too long", "hostile"],
)
def test_fill_name(column, name):
    assert fill_name(column) == name


@given(IDENTIFIER.map(clip), IDENTIFIER.map(clip))
def test_fill_names_fit_and_differ(first, second):
    assert len(fill_name(first).encode()) <= 63
    assert (fill_name(first) == fill_name(second)) is (first == second)
