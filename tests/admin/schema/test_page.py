"""The page on the schema: what it tells, and to whom."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agentsql import graphviz, lock
from core_tables.models import Memory
from tests.admin.schema.looks import ALLOWED, DIAGRAM, PAGE, RUN, another_session, run, sql, state, text

HOSTILE = "<script>alert(1)</script>"
ROWS = """
INSERT INTO memories (id, type, content, agent_id, "unique", metadata)
SELECT gen_random_uuid(), 'messages', '{{"text": "Hello"}}', id, true, '{{}}' FROM agents, generate_series(1, {})
"""

pytestmark = pytest.mark.extension("vector")
wrecks = pytest.mark.usefixtures("own_site")


def test_a_complete_schema(viewer):
    sql("ANALYZE agents")
    response = viewer.get(PAGE)
    words = text(response)
    assert "core_tables: complete" in words
    assert "example_plugin: complete" in words
    assert state(response, "agents").startswith("complete 0 ")
    # How many is unknown until the server has counted them, which it may have done by itself.
    assert state(response, "memories").startswith(("complete unknown ", "complete 0 "))
    assert f"PostgreSQL {connection.connection.info.parameter_status('server_version')}" in words
    assert re.search(r"pgvector \d+\.\d+", words)
    assert "No run goes on." in words
    assert "Invalid indexes None. Pending Nothing." in words
    assert reverse("admin:agentsql_schema_change", args=["default"]) == f"{PAGE}default/change/"
    assert state(viewer.get(f"{PAGE}default/change/"), "memories") == state(response, "memories")


@wrecks
def test_what_is_missing_differs_or_is_in_the_way(viewer):
    sql(
        "DROP INDEX memories_room_created_idx",
        "ALTER TABLE memories ALTER COLUMN content DROP NOT NULL",
        "ALTER TABLE agents ALTER COLUMN name TYPE varchar(90)",
        "DROP TABLE example_plugin_reader",
        "CREATE VIEW example_plugin_reader AS SELECT 1 AS one",
        "DROP TABLE example_plugin_passage",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'agents_name_idx'::regclass",
    )
    response = viewer.get(PAGE)
    assert state(response, "memories").startswith("missing lacks 1 index agentsql.D102 Column memories.content")
    assert state(response, "example_plugin_passage").startswith("missing lacks the table")
    assert state(response, "tasks").startswith("complete")
    assert state(response, "agents").startswith("missing lacks 1 index agentsql.D101 Column agents.name is character")
    conflict = state(response, "example_plugin_reader")
    assert re.match(r"conflict lacks .* agentsql\.D002 .* Rename it, or set another db_table", conflict)
    words = text(response)
    assert "agents_name_idx on agents: left by a build that broke off" in words
    assert "CREATE INDEX &quot;memories_room_created_idx&quot; ON &quot;memories&quot;" in words
    assert "core_tables: missing" in words
    assert "example_plugin: conflict" in words
    assert "Make it with manage.py automigrate" in words


@wrecks
def test_what_only_differs(viewer):
    sql("ALTER TABLE agents ALTER COLUMN name TYPE varchar(90)")
    response = viewer.get(PAGE)
    assert state(response, "agents").startswith("drifted agentsql.D101")
    assert "core_tables: drifted" in text(response)


def test_who_holds_the_lock(viewer):
    with another_session(f"SELECT pg_advisory_xact_lock({lock.KEY})"):
        assert "Another automigrate run holds the lock: backend" in text(viewer.get(PAGE))


@wrecks
def test_sizes_of_a_partitioned_table_are_of_its_partitions(viewer):
    sql(
        "DROP TABLE example_plugin_reader",
        "CREATE TABLE example_plugin_reader (document_id uuid, entity_id uuid, may_edit bool) "
        "PARTITION BY HASH (entity_id)",
        "CREATE TABLE part PARTITION OF example_plugin_reader FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "INSERT INTO part SELECT gen_random_uuid(), gen_random_uuid(), true FROM generate_series(1, 1000)",
        "ANALYZE part",
    )
    assert re.search(r" 1,?000 \d\d\.0\s+KB 0\s+bytes$", state(viewer.get(PAGE), "example_plugin_reader"))


@wrecks
def test_hostile_names_are_escaped(client, settings):
    settings.AGENTSQL = ALLOWED
    sql(
        f'ALTER TABLE memories ADD COLUMN "{HOSTILE}" text NOT NULL',
        f'CREATE INDEX "{HOSTILE}i" ON agents (id)',
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '\"{HOSTILE}i\"'::regclass",
        "DROP INDEX agents_name_idx",
    )
    pages = [client.get(PAGE).content.decode(), client.get(RUN).content.decode(), run(client)]
    assert [HOSTILE in page for page in pages] == [False, False, False]
    assert ["&lt;script&gt;" in page for page in pages] == [True, False, True]


@wrecks
def test_nothing_depends_on_rows(client):
    sql("INSERT INTO agents (id, name) SELECT gen_random_uuid(), 'Ada'", ROWS.format(10))
    seen = []
    for more in (0, 100_000):
        sql(ROWS.format(more), "ANALYZE memories")
        with CaptureQueriesContext(connection) as queries:
            response = client.get(PAGE)
        seen.append([query["sql"] for query in queries])
    assert Memory.objects.count() == 100_010
    assert re.match(r"complete 100,?010 ", state(response, "memories"))
    assert len(seen[0]) == len(seen[1]) < 60
    assert not [asked for asked in seen[1] if re.search(r'FROM "?memories"?', asked)]


@wrecks
def test_rows_in_the_way_are_not_counted(client):
    """A plan of the command counts them, which reads the table."""
    sql(
        "INSERT INTO agents (id, name) SELECT gen_random_uuid(), 'Ada'",
        ROWS.format(10),
        "DO $$ DECLARE name text; BEGIN FOR name IN SELECT conname FROM pg_constraint WHERE contype = 'f' "
        "AND conrelid = 'memories'::regclass LOOP EXECUTE format('ALTER TABLE memories DROP CONSTRAINT %I', name); "
        "END LOOP; END $$",
    )
    with CaptureQueriesContext(connection) as queries:
        assert state(client.get(PAGE), "memories").startswith("missing lacks 3 foreign keys")
    assert not [query for query in queries if "offenders" in query["sql"]]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("LOCK TABLE memories IN ACCESS EXCLUSIVE MODE", "Another session keeps a table locked"),
        (None, "Can&#x27;t connect to the database"),
    ],
)
def test_a_database_that_cannot_be_looked_at(client, settings, other_database, statement, words):
    settings.AGENTSQL = {"LOCK_TIMEOUT": 0.2}
    nowhere = {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": "1"}
    other_database(**({} if statement else nowhere))
    with another_session(*filter(None, [statement])):
        response = client.get(f"{PAGE}other/change/")
    assert response.status_code == 200
    assert words in text(response)
    assert f'href="{PAGE}default/change/"' in response.content.decode()


def test_wrong_settings(client, settings):
    settings.AGENTSQL = {"PLUGIN": []}
    assert "unknown key &#x27;PLUGIN&#x27;. Did you mean &#x27;PLUGINS&#x27;?" in text(client.get(PAGE))
    assert client.get(RUN).status_code == 403
    assert client.get(DIAGRAM).status_code == 404


def test_inside_a_transaction(client):
    with transaction.atomic():
        assert "inside a transaction" in text(client.get(PAGE))


def test_atomic_requests_do_not_matter(client, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert "core_tables: complete" in text(client.get(PAGE))


def test_several_databases(client, other_database):
    other_database()
    response = client.get(f"{PAGE}other/change/")
    assert re.search(r'<a href="[^"]+/other/change/" aria-current="page">other</a>', response.content.decode())
    assert "Schema of other" in text(response)
    assert client.get(f"{PAGE}nowhere/change/").status_code == 404


def test_the_menu(viewer, browse):
    assert f'href="{PAGE}"' in viewer.get("/admin/").content.decode()
    nobody = browse(User.objects.create_user("nobody", is_staff=True))
    assert PAGE not in nobody.get("/admin/").content.decode()


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}default/change/", f"{PAGE}default/history/", DIAGRAM, RUN])
def test_who_may_not_look(place, browse, settings, address):
    settings.AGENTSQL = ALLOWED
    assert Client().get(address).status_code == 302
    nobody = browse(User.objects.create_user("nobody", is_staff=True))
    with CaptureQueriesContext(connection) as queries:
        assert nobody.get(address).status_code == 403
    assert not [query for query in queries if "pg_class" in query["sql"]]


@pytest.mark.skipif(not graphviz.available(), reason="Graphviz is not installed")
def test_the_diagram(viewer):
    response = viewer.get(DIAGRAM)
    assert response["Content-Type"] == "image/svg+xml"
    assert response["Content-Security-Policy"].startswith("default-src 'none'")
    assert b">memories</text>" in response.content
    assert f'<img src="{DIAGRAM}" loading="lazy"' in viewer.get(PAGE).content.decode()


def test_without_graphviz_there_is_the_list(viewer, monkeypatch):
    monkeypatch.setenv("PATH", "")
    graphviz.svg.cache_clear()
    page = viewer.get(PAGE).content.decode()
    assert DIAGRAM not in page
    assert "<details open>" in page
    assert "<li>embedding: vector(384), null</li>" in page
    assert "<li>memory_id → memories(id)</li>" in page
    assert viewer.get(DIAGRAM).status_code == 404
