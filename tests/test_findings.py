"""Each finding names its object and the next step."""

import inspect

import pytest
from django.core.checks import ERROR, CheckMessage
from django.db import models

from agentsql import findings
from agentsql.names import TableName
from agentsql.schema import Kind
from tests.arena import Registry
from tests.support import LOGS, column, constraint, index, table

registry = Registry()
ROOM = registry.model("Room")
LOG = registry.model("Log", room=models.ForeignKey(ROOM, models.CASCADE))
AI = TableName("a i", 'lo"gs')
FOREIGN = constraint(Kind.FOREIGN_KEY, "room_id", target=TableName("", "plug_room"), target_columns=("id",))

FINDINGS = {
    "agentsql.D001": findings.primary_key_differs(
        constraint(Kind.PRIMARY_KEY, "id"), constraint(Kind.PRIMARY_KEY, "a", "b")
    ),
    "agentsql.D002": findings.not_a_table(table(relkind="v")),
    "agentsql.D003": findings.target_missing(FOREIGN.key, TableName("", "plug_room"), ROOM),
    "agentsql.D004": findings.no_default(column()),
    "agentsql.D005": findings.volatile_default(column(table=AI)),
    "agentsql.D006": findings.extension_unavailable("vector"),
    "agentsql.D007": findings.extension_forbidden("uuid-ossp", "ann"),
    "agentsql.D008": findings.rival_models(LOGS, LOG, ROOM),
    "agentsql.D009": findings.name_taken(index("i", "at").key, "i", "an index of table rooms"),
    "agentsql.D010": findings.not_owner(AI, 'a"nn'),
    "agentsql.D011": findings.invalid_index(index('i"x', "at").key, 'i"x'),
    "agentsql.D012": findings.name_twice(index("i", "at").key, LOG),
    "agentsql.D013": findings.model_unreadable(LOG, ValueError("no such field")),
    "agentsql.D014": findings.one_value_for_all(column()),
}
EXPECTED = {
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
        "primary key logs()",
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
        f"The {FOREIGN.key} waits: its target table plug_room of plug.Room does not exist.",
        "Create it (`manage.py migrate plug`; `automigrate plug` if it is a plugin), then run automigrate again.",
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
        'index logs(i"x)',
        'The index i"x of logs is invalid: an earlier CREATE INDEX CONCURRENTLY did not finish.',
        'Drop it, then run automigrate again: DROP INDEX CONCURRENTLY "i""x";',
    ),
}


@pytest.mark.parametrize("number", FINDINGS)
def test_words(number):
    finding = FINDINGS[number]
    assert (finding.id, finding.level) == (number, ERROR)
    assert (finding.obj, finding.msg, finding.hint) == EXPECTED[number]


def test_each_function_has_an_id_of_its_own():
    functions = [
        function
        for _, function in inspect.getmembers(findings, inspect.isfunction)
        if function.__module__ == findings.__name__
    ]
    assert len(functions) == len(FINDINGS) == len({finding.id for finding in FINDINGS.values()})
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


def test_a_target_without_a_model():
    finding = findings.target_missing(FOREIGN.key, AI, None)
    assert finding.msg.endswith('its target table a i.lo"gs does not exist.')
    assert finding.hint == "Create it, then run automigrate again."
