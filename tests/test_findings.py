"""Each finding names its object and the next step."""

import inspect

import pytest
from django.core.checks import ERROR, WARNING, CheckMessage
from django.db import models

from agentsql import findings
from agentsql.names import TableName
from agentsql.schema import Key, Kind
from core_tables.models import Agent
from tests.arena import Registry
from tests.support import LOGS, column, constraint, index, table

registry = Registry()
ROOM = registry.model("Room")
LOG = registry.model("Log", room=models.ForeignKey(ROOM, models.CASCADE))
AI = TableName("a i", 'lo"gs')
PLUG_ROOM = TableName("", "plug_room")
FOREIGN = constraint(Kind.FOREIGN_KEY, "room_id", target=PLUG_ROOM, target_columns=("id",))

FINDINGS = {
    "agentsql.D001": findings.primary_key_differs(
        constraint(Kind.PRIMARY_KEY, "id"), constraint(Kind.PRIMARY_KEY, "a", "b")
    ),
    "agentsql.D002": findings.not_a_table(table(relkind="v")),
    "agentsql.D003": findings.targets_missing([(FOREIGN.key, PLUG_ROOM, ROOM)]),
    "agentsql.D004": findings.no_default(column()),
    "agentsql.D005": findings.volatile_default(column(table=AI)),
    "agentsql.D006": findings.extension_unavailable("vector"),
    "agentsql.D007": findings.extension_forbidden("uuid-ossp", "ann"),
    "agentsql.D008": findings.rival_models(LOGS, LOG, ROOM),
    "agentsql.D009": findings.name_taken(index("i", "at").key, "i", "an index of table rooms", declared=True),
    "agentsql.D010": findings.not_owner(AI, 'a"nn'),
    "agentsql.D011": findings.being_built(index("i", "at").key, "i", 4711),
    "agentsql.D012": findings.name_twice(index("i", "at").key, LOG),
    "agentsql.D013": findings.model_unreadable(LOG, ValueError("no such field")),
    "agentsql.D014": findings.one_value_for_all(column()),
    "agentsql.D015": findings.rows_break(FOREIGN.key, 3, ["7, 9", "8, 9"], "SELECT 1"),
    "agentsql.D016": findings.needs_rewrite(column(), "about 3 rows", ["ALTER ...", "COMMENT ..."]),
    "agentsql.D017": findings.foreign_partition(FOREIGN.key, AI),
    "agentsql.D018": findings.all_or_nothing(),
    "agentsql.D019": findings.lacks_partition_key(FOREIGN.key, ["at", ""]),
    "agentsql.D020": findings.target_elsewhere(FOREIGN.key, PLUG_ROOM, ROOM, "agents"),
    "agentsql.D021": findings.receiver_failed("plug", Registry.model, ValueError("no room")),
    "agentsql.D022": findings.unusable("agents", ValueError("no server")),
    "agentsql.D023": findings.key_types_differ(FOREIGN.key, column("room_id"), column("id", "bigint", table=PLUG_ROOM)),
    "agentsql.D024": findings.not_referable(FOREIGN.key, PLUG_ROOM, 'a"nn'),
    "agentsql.D131": findings.column_renamed(column(table=AI), ["a", 'b"']),
    "agentsql.D132": findings.table_renamed(AI, ["a", "b", "c", "d", "e"]),
    "agentsql.D133": findings.zone_unknown(column().key, "CET", "ALTER ..."),
    "agentsql.D134": findings.not_widened(column().key, ["index i"], "ALTER ..."),
}
WARNINGS = {"agentsql.D134"}
EXPECTED = {
    "agentsql.D023": (
        "foreign key logs(room_id)",
        (
            "The foreign key logs(room_id) can't be made: logs.room_id is text, and plug_room.id, which it would point "
            "to, is bigint; PostgreSQL has no equality of the two."
        ),
        (
            "Give one of them the type of the other, then run automigrate again: the D101 of the column that differs "
            "from its model has the statement."
        ),
    ),
    "agentsql.D024": (
        "foreign key logs(room_id)",
        "The foreign key logs(room_id) can't be made: the role 'a\"nn' may not make keys to the table plug_room.",
        'Have its owner run: GRANT REFERENCES ON "plug_room" TO "a""nn";',
    ),
    "agentsql.D012": (
        "plug.Log",
        "plug.Log has two objects for one name: index logs(i). Only the first is made.",
        "PostgreSQL keeps 63 bytes of a name: give one of them another, shorter name in the model.",
    ),
    "agentsql.D013": (
        "plug.Log",
        "plug.Log can't be turned into a table: ValueError: no such field",
        "Mend the model; `manage.py check` tells more.",
    ),
    "agentsql.D014": (
        "logs.body",
        "Column logs.body is unique, its default is one value, and the table has rows.",
        "Give the field a default that differs by row (uuid4, a db_default), or null=True and fill the rows.",
    ),
    "agentsql.D001": (
        "primary key logs",
        "Table logs has the primary key (a, b), but its model wants (id). Nothing was done to it.",
        "It belongs to something else: set another db_table on the model, or rename or move that table.",
    ),
    "agentsql.D002": (
        "logs",
        "logs is a view in the database, but a model wants it to be a table.",
        "Rename it, or set another db_table (or managed = False) on the model.",
    ),
    "agentsql.D003": (
        str(FOREIGN.key),
        f"A key waits for tables that do not exist yet: {FOREIGN.key} for plug_room (plug.Room).",
        "Run `manage.py migrate`: it makes the tables of apps with migrations, then adds the keys.",
    ),
    "agentsql.D004": (
        "logs.body",
        "Column logs.body is NOT NULL without a default, and the table has rows.",
        "Give the field a db_default or default, or null=True; or add the column by hand with values.",
    ),
    "agentsql.D005": (
        'a i.lo"gs.body',
        ('Column a i.lo"gs.body has a default that only Python can compute, and not once for all: the table has rows.'),
        "Give the field a db_default that the server computes, or null=True and fill the rows yourself.",
    ),
    "agentsql.D006": (
        "extension vector",
        "The extension 'vector' is not installed on the database server.",
        "Install its package on the server's machine (for 'vector'), then run automigrate again.",
    ),
    "agentsql.D007": (
        "extension uuid-ossp",
        "The role 'ann' may not create the extension 'uuid-ossp'.",
        'Have an administrator run in this database: CREATE EXTENSION "uuid-ossp";',
    ),
    "agentsql.D008": (
        "plug.Room",
        "plug.Log and plug.Room both want the table logs; the first has it.",
        "Set another db_table on one of them.",
    ),
    "agentsql.D009": (
        "index logs(i)",
        "The index logs(i) can't be made: its name 'i' is taken by an index of table rooms.",
        "Rename the one that exists, or name the index otherwise in the model (`name=`, now 'i').",
    ),
    "agentsql.D010": (
        'a i.lo"gs',
        "The role 'a\"nn' does not own the table a i.lo\"gs and may not add to it.",
        'Run automigrate as the owner, or: ALTER TABLE "a i"."lo""gs" OWNER TO "a""nn";',
    ),
    "agentsql.D011": (
        "index logs(i)",
        "The index i of logs is being built right now by backend 4711, which is not ours.",
        "Run automigrate again when it is done.",
    ),
    "agentsql.D015": (
        str(FOREIGN.key),
        f"The {FOREIGN.key} can't be made: 3 rows point to nothing, for example 7, 9; 8, 9.",
        "Mend them, then run automigrate again. All of them: SELECT 1;",
    ),
    "agentsql.D016": (
        "logs.body",
        (
            "Column logs.body has no form that leaves logs (about 3 rows) usable: it rewrites the table while nobody "
            "can read or write."
        ),
        "Run automigrate --allow-rewrite when the table may be locked, or by hand: ALTER ...; COMMENT ...;",
    ),
    "agentsql.D017": (
        str(FOREIGN.key),
        f"The {FOREIGN.key} can't be made: the partition a i.lo\"gs is a foreign table, which can have none.",
        "Detach that partition, or make it by hand on the others.",
    ),
    "agentsql.D019": (
        str(FOREIGN.key),
        (
            f"The {FOREIGN.key} can't be made: on a partitioned table it must include the partition key "
            "(at, an expression)."
        ),
        "Add those fields to the model's constraint, or partition the table otherwise.",
    ),
    "agentsql.D020": (
        str(FOREIGN.key),
        (
            f"The {FOREIGN.key} can't be made: its target plug_room (plug.Room) is not on the database 'agents'; "
            "the routers keep it elsewhere."
        ),
        "Give the field db_constraint=False, or let the routers put both tables on one database.",
    ),
    "agentsql.D021": (
        "plug",
        "Registry.model() of tests.arena, which listens to schema_applied of plug, failed: ValueError: no room",
        "The schema is as told. Mend the receiver and run automigrate again: it is called after every run.",
    ),
    "agentsql.D022": (
        "agents",
        "Nothing could be done on the database 'agents': no server",
        "Mend that, then run `manage.py automigrate --database agents`.",
    ),
    "agentsql.D131": (
        'a i.lo"gs.body',
        (
            'Column a i.lo"gs.body looks like another name of a or b": of the same type or one that grows into '
            "it (text), unknown to every model, in a table with rows. Made beside it, the data would be in two columns."
        ),
        (
            'If it is, rename it, then run automigrate again: ALTER TABLE "a i"."lo""gs" RENAME COLUMN "a" TO "body"; '
            'or ALTER TABLE "a i"."lo""gs" RENAME COLUMN "b""" TO "body"; '
            'If not, run automigrate --no-rename-guess, or set AGENTSQL["RENAME_GUESS"] = False.'
        ),
    ),
    "agentsql.D132": (
        'a i.lo"gs',
        (
            'Table a i.lo"gs looks like another name of a i.a or a i.b or a i.c (or 2 more): with the same columns and '
            "types, unknown to every model, with rows. Made beside it, the data would be in two tables."
        ),
        (
            'If it is, rename it, then run automigrate again: ALTER TABLE "a i"."a" RENAME TO "lo""gs"; '
            'or ALTER TABLE "a i"."b" RENAME TO "lo""gs"; or ALTER TABLE "a i"."c" RENAME TO "lo""gs"; '
            'If not, run automigrate --no-rename-guess, or set AGENTSQL["RENAME_GUESS"] = False.'
        ),
    ),
    "agentsql.D133": (
        "logs.body",
        (
            "Column logs.body holds timestamps without time zone, and only those written in UTC become timestamptz as "
            "they are: from CET the server must rewrite each row. It was left as it is."
        ),
        "Run automigrate --widen --zone UTC if they are in UTC; else by hand, which rewrites the table: ALTER ...;",
    ),
    "agentsql.D134": (
        "logs.body",
        "Column logs.body was not widened: it would scan or rebuild, while nobody can read or write, or lose: index i.",
        "Drop that, and make it again afterwards; or by hand when the table may be locked: ALTER ...;",
    ),
    "agentsql.D018": (
        "--atomic",
        "With --atomic nothing is made, because something can't be.",
        "Mend the other findings, or run automigrate without --atomic to make all the rest.",
    ),
}


@pytest.mark.parametrize("number", FINDINGS)
def test_words(number):
    finding = FINDINGS[number]
    assert (finding.id, finding.level) == (number, WARNING if number in WARNINGS else ERROR)
    assert (finding.obj, finding.msg, finding.hint) == EXPECTED[number]


def test_each_function_has_an_id_of_its_own():
    functions = [
        function
        for name, function in inspect.getmembers(findings, inspect.isfunction)
        if function.__module__ == findings.__name__ and not name.startswith("_")
    ]
    alike = {"primary_key_type_differs", "key_column_lacking", "type_in_its_place"}  # D001 and D002 in other words
    numbered = [function for function in functions if function.__name__ not in alike]
    assert len(numbered) == len(FINDINGS) == len({finding.id for finding in FINDINGS.values()})
    assert all(isinstance(finding, CheckMessage) for finding in FINDINGS.values())


@pytest.mark.parametrize(
    ("relkind", "words"),
    [
        ("m", "a materialized view"),
        ("f", "a foreign table"),
        ("S", "a sequence"),
        ("i", "an index"),
        ("?", "not a table"),
    ],
)
def test_relations_of_other_kinds(relkind, words):
    assert findings.not_a_table(table(relkind=relkind)).msg.startswith(f"logs is {words} in the database")


def test_all_keys_that_wait_are_one_finding():
    finding = findings.targets_missing([(FOREIGN.key, AI, None)] * 7)
    assert finding.msg.startswith(f'7 keys wait for tables that do not exist yet: {FOREIGN.key} for a i.lo"gs; ')
    assert finding.msg.endswith("; and 2 more.")
    assert (finding.obj, finding.hint) == ("foreign keys", "Make them, then run automigrate again.")


def test_keys_that_wait_for_plugins_and_others():
    waiting = [(FOREIGN.key, AI, Agent), (FOREIGN.key, AI, ROOM)]
    assert findings.targets_missing(waiting, "agents").hint == (
        "Run `manage.py automigrate core_tables --database agents`: it makes its plugins' tables. "
        "Run `manage.py migrate --database agents`: it makes the tables of apps with migrations, then adds the keys."
    )


@pytest.mark.parametrize(
    ("kind", "count", "examples", "words"),
    [
        (Kind.FOREIGN_KEY, 1, ["7"], "1 row points to nothing, for example 7."),
        (Kind.FOREIGN_KEY, None, [], "rows point to nothing."),
        (Kind.UNIQUE, 2, ["a, 3"], "2 keys are in more than one row, for example a, 3."),
        (Kind.INDEX, 1, [], "1 key is in more than one row."),
        (Kind.PRIMARY_KEY, 2, [], "2 keys are NULL or in more than one row."),
        (Kind.CHECK, 2, [], "2 rows break it."),
        (Kind.COLUMN, 1, [], "1 row holds NULL."),
    ],
)
def test_rows_in_the_way(kind, count, examples, words):
    finding = findings.rows_break(Key(LOGS, kind, ("x",)), count, examples, "SELECT 1")
    assert finding.msg.endswith(f" can't be made: {words}")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (column(), "it rewrites the table while nobody can read or write."),
        (constraint(Kind.EXCLUSION, name="x"), "it builds its index while nobody can read or write."),
        (index("i", "at"), "it builds its index while nobody can write."),
    ],
)
def test_what_a_rewrite_costs(item, words):
    assert findings.needs_rewrite(item, "about 3 rows", ["ALTER"]).msg.endswith(words)


def test_what_only_atomic_can_not_make_otherwise():
    found = findings.needs_rewrite(column("body"), "about 3 rows", ["ALTER ..."], only_here=True)
    assert "has no form in one transaction that" in found.msg
    assert found.hint.startswith(
        "Run automigrate without --atomic, which fills it in batches; or with --allow-rewrite "
    )


def test_many_obstacles_are_counted():
    assert findings.not_widened(column().key, list("abcdefg"), "").msg.endswith(" or lose: a, b, c, d, e and 2 more.")
    refused = findings.not_widened(column().key, [], "", list("abcdefg"))
    assert refused.msg.endswith(" the server refuses that, because of a, b, c, d, e and 2 more.")
