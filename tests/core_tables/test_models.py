import re

import django
import pytest
from django.apps import apps
from django.core.checks import run_checks

from tests.core_tables import expected
from tests.core_tables.scratch import columns, constraints, indexes, rows

pytestmark = pytest.mark.usefixtures("core_tables")


def test_the_columns_are_those_of_the_specification():
    assert columns() == expected.COLUMNS


def test_the_named_indexes_are_those_of_the_specification():
    automatic = re.compile(r"_id_[0-9a-f]{8}$")
    found = {
        table: {name: text for name, text in named.items() if not automatic.search(name)}
        for table, named in indexes().items()
    }
    assert {table: named for table, named in found.items() if named} == expected.INDEXES


def test_primary_keys_and_unique_constraints():
    assert constraints("p") == expected.PRIMARY_KEYS
    assert constraints("u") == expected.UNIQUE


def test_foreign_keys_stand_in_the_database_with_their_rule():
    pattern = re.compile(r"FOREIGN KEY \((\w+)\) REFERENCES (\w+)\(id\)(?: ON DELETE ([A-Z ]+?))? DEFERRABLE")
    found = {
        table: {column: (target, rule) for column, target, rule in (pattern.match(text).groups() for text in texts)}
        for table, texts in constraints("f").items()
    }
    wanted = expected.FOREIGN_KEYS
    if django.VERSION < (6, 1):
        wanted = {
            table: {column: (target, None) for column, (target, _) in keys.items()} for table, keys in wanted.items()
        }
    assert found == wanted


def test_an_index_begins_with_every_foreign_key():
    first = {
        (table, column)
        for table, column in rows(
            """
            SELECT c.relname, a.attname
              FROM pg_index x
              JOIN pg_class c ON c.oid = x.indrelid AND c.relnamespace = to_regnamespace('scratch')
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
             WHERE x.indpred IS NULL
            """
        )
    }
    keys = {(table, column) for table, found in expected.FOREIGN_KEYS.items() for column in found}
    assert keys <= first


def test_no_index_is_only_the_beginning_of_another():
    plain = [
        (table, tuple(keys))
        for table, keys in rows(
            """
            SELECT x.indrelid::regclass::text, array(
                       SELECT attname::text FROM unnest(x.indkey) WITH ORDINALITY AS k(attnum, position)
                         JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
                        ORDER BY position)
              FROM pg_index x
              JOIN pg_class i ON i.oid = x.indexrelid AND i.relnamespace = to_regnamespace('scratch')
              JOIN pg_am m ON m.oid = i.relam AND m.amname = 'btree'
             WHERE x.indpred IS NULL AND x.indexprs IS NULL
            """
        )
    ]
    wasted = [
        short
        for short in plain
        for long in plain
        if short[0] == long[0] and len(short[1]) < len(long[1]) and long[1][: len(short[1])] == short[1]
    ]
    # The unique constraint on (id, agent_id) is there for others to point to.
    assert wasted == [("entities", ("id",))]
    assert len(set(plain)) == len(plain)


def test_the_app_is_clean_and_asks_for_its_tables():
    config = apps.get_app_config("core_tables")
    assert config.automigrate is True
    assert run_checks(app_configs=[config]) == []
