"""agentsql.E101, and which databases are asked at all."""

import pytest
from django.core.checks import Error
from django.db import connection, connections, models, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from agentsql import session
from agentsql.checks import check_databases

HINT = "Nothing else of this database was checked, and automigrate can't run on it."


@pytest.fixture
def post(project):
    return project.model("blog", "Post", fields={"body": models.TextField()})


@pytest.mark.parametrize("databases", [None, [], ()])
def test_nothing_is_asked_unless_a_database_is_named(post, databases):
    assert check_databases(databases=databases) == []  # this test may not connect


def test_a_database_without_a_plugins_table_is_not_connected_to(post, second_database, only_on):
    project_without = override_settings(DATABASE_ROUTERS=[only_on("blog", "default")])
    second_database(HOST="/nowhere")
    with project_without:
        assert check_databases(databases=["other"]) == []
    assert connections["other"].connection is None


def test_a_database_of_another_kind_is_left_alone(post, second_database):
    second_database(ENGINE="django.db.backends.sqlite3", NAME=":memory:")
    assert check_databases(databases=["other"]) == []
    assert connections["other"].connection is None


def test_a_wrong_setting_keeps_it_quiet(post):
    with override_settings(AGENTSQL={"PLUGIN": []}):
        assert check_databases(databases=["default"]) == []


def test_an_unreachable_database(post, database, second_database):
    second_database(ENGINE="django.db.backends.postgresql", HOST="/nowhere", PORT="1")
    [found] = check_databases(databases=["other"])
    assert (found.id, found.obj, found.hint, found.level) == ("agentsql.E101", "database other", HINT, 40)
    assert found.msg.startswith(f"Can't connect to the database '{connection.settings_dict['NAME']}' (other): ")


def test_a_server_too_old_for_agentsql(post, arena, monkeypatch):
    monkeypatch.setattr(session, "MINIMUM_VERSION", 990000)
    [found] = check_databases(databases=["default"])
    assert found.id == "agentsql.E101"
    assert found.msg.startswith(f"The server is PostgreSQL {connection.pg_version // 10000}; automigrate needs ")


def test_a_server_too_old_for_django(post, database, second_database, monkeypatch):
    second_database()
    monkeypatch.setattr(type(connections["other"].features), "minimum_database_version", (99,))
    [found] = check_databases(databases=["other"])
    assert (found.id, found.obj) == ("agentsql.E101", "database other")
    assert "PostgreSQL 99 or later is required" in found.msg


def test_a_search_path_that_leads_nowhere(post, arena):
    arena.sql("SET search_path TO nowhere")
    found = check_databases(databases=["default"])
    arena.enter()
    assert [message.id for message in found] == ["agentsql.E101"]
    assert "No schema on the search_path" in found[0].msg


def test_autocommit_that_is_off(post, arena):
    connection.set_autocommit(False)
    try:
        [found] = check_databases(databases=["default"])
    finally:
        connection.rollback()
        connection.set_autocommit(True)
        arena.enter()
    assert found == Error(
        "Autocommit is off on this connection, and automigrate commits as it goes: turn it on.",
        hint=HINT,
        obj="database default",
        id="agentsql.E101",
    )


def test_inside_a_transaction_nothing_is_asked(post, arena):
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        assert check_databases(databases=["default"]) == []
    assert [query["sql"] for query in queries if "pg_" in query["sql"]] == []
