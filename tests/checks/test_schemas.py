"""agentsql.W103, W104 and the findings of a run: the schema beside the models."""

from io import StringIO

import pytest
from django.core.checks import WARNING
from django.core.checks import Warning as CheckWarning
from django.core.management import call_command
from django.core.management.commands.migrate import Command as Migrate
from django.db import DatabaseError, connection, models

from agentsql.checks import check_databases, check_project
from agentsql.checks.schemas import missing
from agentsql.discover import Plugin
from agentsql.report import Result
from agentsql.schema import Kind
from tests.support import LOGS, Key, outcome, report, step, table_key


@pytest.fixture
def plugin(project):
    tag = project.model("blog", "Tag", fields={"name": models.TextField(unique=True)})
    index = models.Index(fields=["rank"], name="post_rank")
    fields = {"rank": models.IntegerField(), "size": models.IntegerField(null=True)}
    post = project.model("blog", "Post", fields=fields, indexes=[index])
    return Plugin(label="blog", models=(tag, post))


def found():
    return check_databases(databases=["default"])


def behind(what):
    return CheckWarning(
        f"The schema of database 'default' is behind the models: {what} missing.",
        hint="Run `manage.py automigrate`.",
        obj="database default",
        id="agentsql.W103",
    )


def fail_to_build(arena, sql):
    with pytest.raises(DatabaseError):
        arena.sql(sql)


def test_a_converged_schema_is_no_message(arena, plugin):
    arena.automigrate(plugin)
    assert found() == []


def test_all_that_is_missing(arena, plugin):
    assert found() == [behind("2 tables, 2 indexes are")]


def test_one_thing_is_missing(arena, plugin):
    arena.automigrate(plugin)
    arena.sql("DROP INDEX post_rank")
    assert found() == [behind("1 index is")]


def test_the_findings_of_a_run_come_along(arena, plugin):
    arena.automigrate(plugin)
    arena.sql(
        "ALTER TABLE blog_post ALTER rank TYPE text, DROP size", "DROP TABLE blog_tag", "CREATE VIEW blog_tag AS SELECT"
    )
    messages = {message.id: message for message in found()}
    arena.sql("DROP VIEW blog_tag")
    assert set(messages) == {"agentsql.D002", "agentsql.D101", "agentsql.W103"}
    assert messages["agentsql.D101"].obj == "blog_post.rank"
    assert "1 column, " in messages["agentsql.W103"].msg
    assert "objects that automigrate can't make (other messages tell why) are missing." in messages["agentsql.W103"].msg


def test_only_the_apps_that_are_asked_about(arena, project, plugin):
    project.model("wiki", "Page")
    configs = [project.config("wiki")]
    assert check_databases(app_configs=configs, databases=["default"]) == [behind("1 table is")]
    assert check_databases(app_configs=[project.config("shop")], databases=["default"]) == []


def test_migrate_is_not_told_what_it_mends_itself(arena, plugin):
    """Nor kept from it by an error: however it was called, by a subclass of its command, too."""

    class TheirMigrate(Migrate):
        def check(self, **_):
            return found()

    assert TheirMigrate().check() == []
    assert found() != []


def test_another_alias_is_named(arena, plugin, second_database):
    second_database()
    [message] = check_databases(databases=["other"])
    assert (message.obj, message.hint) == ("database other", "Run `manage.py automigrate --database other`.")


def test_the_sentence():
    table = outcome(Result.PENDING, of=step(table_key("a"), Key(LOGS, Kind.COLUMN, ("id",))))
    unique = outcome(Result.PENDING, of=step(Key(LOGS, Kind.UNIQUE, ("name",))))
    assert missing(report(table, unique, remaining=3)) == "1 table, 1 unique constraint are missing"
    refused = "that automigrate can't make (other messages tell why)"
    assert missing(report(table, remaining=3)) == f"1 table, 1 object {refused} are missing"
    assert missing(report(remaining=1)) == f"1 object {refused} is missing"


def test_an_invalid_index_of_nobody(arena, plugin):
    arena.automigrate(plugin)
    arena.sql("INSERT INTO blog_post (rank) VALUES (1), (1)")
    fail_to_build(arena, 'CREATE UNIQUE INDEX CONCURRENTLY "by ""hand""" ON blog_post (rank)')
    fail_to_build(arena, "CREATE UNIQUE INDEX CONCURRENTLY by_hand_ccnew ON blog_post (rank)")
    name = f'"{arena.namespace}"."by ""hand"""'
    dropped = f'DROP INDEX CONCURRENTLY "{arena.namespace}"."by_hand_ccnew";'
    first, second = found()
    assert (first.id, first.obj, first.level) == ("agentsql.D124", 'index blog_post(by "hand")', WARNING)
    assert "It is invalid: no query uses it" in first.msg
    assert first.hint.startswith(f"Build it again: REINDEX INDEX CONCURRENTLY {name}; or: ")
    assert (second.id, second.obj) == ("agentsql.D124", "index blog_post(by_hand_ccnew)")
    assert second.hint.endswith(dropped)
    assert "REINDEX" not in second.hint
    arena.sql(dropped, "DELETE FROM blog_post", f"REINDEX INDEX CONCURRENTLY {name}")
    (left,) = found()
    assert (left.id, left.level) == ("agentsql.D124", WARNING)  # valid, unique, and in no model


def test_an_invalid_index_of_a_model_is_missing(arena, plugin):
    arena.automigrate(plugin)
    arena.sql("DROP INDEX post_rank", "INSERT INTO blog_post (rank) VALUES (1), (1)")
    fail_to_build(arena, "CREATE UNIQUE INDEX CONCURRENTLY post_rank ON blog_post (rank)")
    assert found() == [behind("1 index is")]


def test_indexes_of_other_tables_are_not_ours(arena, plugin):
    arena.automigrate(plugin)
    arena.sql("CREATE TABLE other (rank int)", "INSERT INTO other VALUES (1), (1)")
    fail_to_build(arena, "CREATE UNIQUE INDEX CONCURRENTLY other_rank ON other (rank)")
    assert found() == []


@pytest.mark.extension("vector")
def test_the_projects_own(arena):
    assert check_project() == []
    arena.sql("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
    before = found()
    assert [message.id for message in before] == ["agentsql.W103"]
    call_command("automigrate", stdout=StringIO())
    assert found() == []


@pytest.mark.extension("vector")
def test_by_the_command(arena, capsys):
    arena.sql("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
    call_command("check", tags=["agentsql"])
    assert "no issues" in capsys.readouterr().out
    call_command("check", databases=["default"])
    assert "(agentsql.W103)" in capsys.readouterr().err
    assert connection.connection is not None
