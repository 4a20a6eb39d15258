"""Another type by hand: what the server does with the hint's own SQL, and what code notices meanwhile."""

import re

import pytest
from django.core.checks import ERROR, WARNING
from django.db import DataError, ProgrammingError

from agentsql import drift
from agentsql.comparison import Difference
from agentsql.conversions import EFFECTS, conversion, kind
from agentsql.schema import Key, Kind
from tests.support import column, table

ALTERING = re.compile(r"ALTER TABLE [^;]*;")
LISTING = re.compile(r"SELECT [^;]*;")


def hint(found, wanted):
    item = column(kind=wanted)
    shared = {item.key: (item, item), Key(item.table, Kind.TABLE): (table(), table())}
    (finding,) = drift.findings([Difference(item.key, "body", "type", wanted, found)], shared)
    return finding.hint


@pytest.mark.parametrize(
    ("found", "wanted", "value", "after"),
    [
        ("text", "varchar(4)", "a long code", None),
        ("text", "varchar(4)", "code", "code"),
        ("character varying(9)", "varchar(4)", "a longer", None),
        ("character varying(9)[]", "varchar(4)[]", "{a longer}", None),
        ("text", "varchar(4)[]", "{a longer}", None),
        ("text", "integer", "5", "5"),
        ("text", "integer", "five", None),
        ("bigint", "integer", str(2**40), None),
        ("boolean", "integer", "true", "1"),
        ("uuid", "text", "6f1c5f0e-0000-4000-8000-000000000001", "6f1c5f0e-0000-4000-8000-000000000001"),
        ("timestamp without time zone", "timestamp with time zone", "2024-01-02 10:00", "2024-01-02 19:00:00+09"),
        ("date", "timestamp with time zone", "2024-01-02", "2024-01-02 09:00:00+09"),
        ("integer", "numeric(3, 2)", "77", None),
        ("json", "jsonb", '{"a": 1}', '{"a": 1}'),
    ],
)
def test_a_value_is_kept_or_refused(arena, found, wanted, value, after):
    arena.sql(
        f"CREATE TABLE logs (body {found})", f"INSERT INTO logs VALUES ('{value}')", "SET timezone = 'Asia/Tokyo'"
    )
    (sql,) = ALTERING.findall(hint(found, wanted))
    if after is None:
        with pytest.raises(DataError):
            arena.sql(sql)
    else:
        arena.sql(sql)
        assert arena.rows("SELECT body::text FROM logs") == [(after,)]
    arena.sql("RESET timezone")


@pytest.mark.parametrize(
    ("found", "wanted", "changed", "kept"),
    [
        ("numeric", "integer", "5.5", "5"),
        ("double precision", "numeric(9, 2)", "5.125", "5.25"),
        ("numeric(9,3)", "numeric(9, 2)", "5.125", "5.25"),
        ("numeric", "double precision", "0.12345678901234567890", "0.5"),
        ("timestamp without time zone", "date", "2024-01-02 10:00", "2024-01-02"),
        ("timestamp with time zone", "date", "2024-01-02 10:00+00", "2024-01-02 00:00+00"),
        ("time with time zone", "time", "10:00+05", "10:00+00"),
        ("integer", "boolean", "7", "1"),
        ("text", "numeric(9, 2)", "5.125", "5.25"),
        ("character varying(9)", "varchar(4)", "code ", "code"),
    ],
)
def test_what_is_changed_without_a_word_is_listed(arena, found, wanted, changed, kept):
    arena.sql(f"CREATE TABLE logs (body {found})", f"INSERT INTO logs VALUES ('{changed}'), ('{kept}')")
    arena.sql("SET timezone = 'UTC'")
    told = hint(found, wanted)
    (query,) = LISTING.findall(told)
    here = arena.rows(f"SELECT body FROM logs WHERE body = '{changed}'")
    assert arena.rows(query) == here
    arena.sql(*ALTERING.findall(told), "RESET timezone")


@pytest.mark.parametrize(
    ("found", "wanted"), [("bigint", "interval"), ("bigint", "timestamp with time zone"), ("jsonb", "text[]")]
)
def test_a_cast_that_nobody_knows(arena, found, wanted):
    arena.sql(f"CREATE TABLE logs (body {found})")
    told = hint(found, wanted)
    assert f"TYPE {wanted} USING ...;" in told
    assert "PostgreSQL has no cast for it" in told
    with pytest.raises(ProgrammingError, match="cannot cast type"):
        arena.rows(f"SELECT body::{wanted} FROM logs")


@pytest.mark.parametrize(
    ("wanted", "found", "level", "effect"),
    [
        ("boolean", "integer", ERROR, "Every write of it fails."),
        ("interval", "bigint", ERROR, "Every write of it fails."),
        ("integer", "boolean", ERROR, "Every write of it fails."),
        ("varchar(9)[]", "jsonb", ERROR, "Every write of it fails."),
        ("uuid", "text", ERROR, "Reads give text, and queries that compare it fail."),
        ("jsonb", "json", ERROR, "Reading it by the ORM fails."),
        ("text", "jsonb", WARNING, "Code that compares or writes it may fail."),
        ("date", "timestamp with time zone", WARNING, "Reads give datetimes, which Python compares with no date."),
        ("timestamp with time zone", "date", WARNING, "Reads give dates, and every write loses its time of day."),
        ("varchar(9)", "character(9)", WARNING, "Reads give values padded with blanks."),
        ("varchar(9)[]", "character varying(5)[]", WARNING, "Code goes on as long as the values fit."),
        ("integer", "smallint", WARNING, "Code goes on as long as the values fit."),
        ("numeric(9, 2)", "numeric(12,4)", WARNING, "Code goes on as long as the values fit."),
        ("numeric(9, 2)", "numeric(9,1)", WARNING, "Code goes on, but writes are rounded"),
        ("timestamp with time zone", "timestamp(0) with time zone", WARNING, "Code goes on, but writes are rounded"),
        ("interval", "interval year", WARNING, "Code goes on, but writes are rounded"),
        ("status", "text", WARNING, "Code that compares or writes it may fail."),
    ],
)
def test_what_code_notices(wanted, found, level, effect):
    how = conversion(column(kind=wanted), found)
    assert (how.level("").level, how.effect[: len(effect)]) == (level, effect)


@pytest.mark.parametrize(
    ("wanted", "found", "more"),
    [
        ("bigint", "integer", ""),
        ("varchar(9)", "character varying(5)", ", but with --widen"),
        ("timestamp with time zone", "timestamp without time zone", ", but with --widen --zone UTC, where"),
        ("varchar(5)", "character varying(9)", ""),
    ],
)
def test_widen_is_named_only_where_it_does_it(wanted, found, more):
    told = conversion(column(kind=wanted), found).more
    assert told.startswith(more)
    assert bool(told) is bool(more)


def test_kinds_are_known():
    spelled = {name for pair in EFFECTS for name in pair}
    assert {kind(name) for name in spelled} == spelled
    assert kind('"public"."status"(3)[]') == "public.status[]"
