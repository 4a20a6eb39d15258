"""What `manage.py migrate` makes run, and when it is left alone."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError
from django.core.management.base import OutputWrapper
from django.db import connection, models, transaction
from django.db.models.signals import post_migrate
from django.test import override_settings

import agentsql.apps
from agentsql import migrating
from agentsql.discover import Plugin
from agentsql.signals import schema_applied
from tests.arena import Registry

SENDERS = [config for config in apps.get_app_configs() if config.models_module is not None]
FIRST, LAST = SENDERS[0], SENDERS[-1]
CONFIG = apps.get_app_config("core_tables")  # stands for the plugin's own
CORE = "core_tables"


@pytest.fixture
def notes(monkeypatch):
    """A plugin with a key to a table of somebody else."""
    registry = Registry()
    author = registry.model("Author", meta={"managed": False, "db_table": "authors"})
    registry.model("Note", author=models.ForeignKey(author, models.CASCADE), text=models.TextField())
    plugin = Plugin(label=CORE, models=registry.plugin(connection).models)
    monkeypatch.setattr(migrating, "discover", lambda *_, **__: (plugin,))
    return plugin


def migrate(half, sender, *, verbosity=1, **options):
    """Send what `migrate` sends, and return what is printed."""
    out = StringIO()
    half(sender=sender, using="default", verbosity=verbosity, stdout=OutputWrapper(out), **options)
    return out.getvalue()


def before(sender=FIRST, **options):
    return migrate(migrating.before_migrate, sender, **options)


def after(sender=LAST, **options):
    return migrate(migrating.after_migrate, sender, plan=[], **options)


def relations(arena):
    found = arena.rows("SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f'")
    return arena.rows("SELECT to_regclass('plug_note')::text")[0][0], len(found)


AUTHORS = "CREATE TABLE authors (id int PRIMARY KEY)"


def test_tables_before_and_keys_afterwards(arena, notes):
    assert before().startswith("Automigrate:\n  1 table, 3 columns, 1 index in ")
    assert relations(arena) == ("plug_note", 0)
    arena.sql(AUTHORS)
    assert after().startswith("Automigrate:\n  1 foreign key in ")
    assert relations(arena) == ("plug_note", 1)
    assert (before(), after()) == ("", "")


@pytest.mark.parametrize("half", [before, after])
def test_once_for_all_apps(arena, notes, half):
    for config in SENDERS:
        if config is not {before: FIRST, after: LAST}[half]:
            assert half(config) == ""
    assert relations(arena) == (None, 0)


@pytest.mark.parametrize(
    ("verbosity", "expected"),
    [(0, []), (1, ["Automigrate:"]), (2, ["Automigrate:", "core_tables", "  plug_note", "    + table, 3 columns"])],
)
def test_verbosity(arena, notes, verbosity, expected):
    assert [line[:23].rstrip() for line in before(verbosity=verbosity).splitlines()[: len(expected) or 9]] == expected


def test_a_key_that_still_waits_is_told_and_no_failure(arena, notes):
    before()
    said = after()
    assert "(agentsql.D003) A key waits for tables that do not exist yet" in said
    assert "authors (plug.Author)" in said


def test_ours_is_the_last_word(arena, notes):
    """Others make content types, which seeds may need; and our error must not cut others off."""
    called = []

    def theirs(**_):
        called.append("theirs")

    post_migrate.connect(theirs)
    try:
        agentsql.apps.before_migrate(sender=LAST, using="default", verbosity=0)
        last = post_migrate.receivers[-1]
    finally:
        post_migrate.disconnect(theirs)
    assert last[1]() is agentsql.apps.after_migrate
    assert called == []


def test_a_plugin_with_migrations_is_left_to_them_at_first(arena, notes, monkeypatch):
    monkeypatch.setattr(migrating, "has_migrations", lambda _: True)
    assert before() == ""
    assert relations(arena) == (None, 0)
    arena.sql(AUTHORS)
    after()
    assert relations(arena) == ("plug_note", 1)


def test_the_setting_turns_it_off(arena, notes):
    with override_settings(AGENTSQL={"RUN_WITH_MIGRATE": False}):
        assert (before(), after()) == ("", "")
    assert relations(arena) == (None, 0)


def test_inside_a_transaction_nothing_is_made(arena, notes):
    with transaction.atomic():
        assert before() == "automigrate is left out: this is inside a transaction, and it commits as it goes.\n"
        assert before(verbosity=0) == ""
        assert after() == ""
    assert relations(arena) == (None, 0)


def test_another_database_system_is_left_alone(notes, monkeypatch):
    monkeypatch.setattr(connection, "vendor", "sqlite")
    monkeypatch.setattr(connection, "display_name", "SQLite")
    assert before() == "automigrate is left out: the database 'default' is SQLite.\n"
    assert after() == ""


def test_what_can_t_be_made_is_told_and_fails_after_djangos_own_work(arena, notes):
    arena.sql(AUTHORS, "CREATE VIEW plug_note AS SELECT 1 AS id")
    assert "(agentsql.D002) plug_note is a view" in before()
    with pytest.raises(CommandError, match="part of the plugins' schema could not be made"):
        after()


@override_settings(AGENTSQL={"PLUGIN": []})
@pytest.mark.parametrize("half", [before, after])
def test_bad_settings_are_one_error(arena, notes, half):
    with pytest.raises(CommandError, match="which migrate runs: AGENTSQL has the unknown key 'PLUGIN'"):
        half()


def test_a_run_that_is_refused_keeps_django_from_nothing(arena, notes, capsys):
    arena.sql("SET search_path TO nowhere")
    assert before() == ""
    assert "could not run before the migrations: No schema on the search_path" in capsys.readouterr().err
    with pytest.raises(CommandError, match="which migrate runs: No schema on the search_path"):
        after()
    arena.enter()


@pytest.fixture
def heard():
    calls = []

    def receiver(using, report, **_):
        calls.append((using, report and report.status))

    schema_applied.connect(receiver, sender=CONFIG)
    yield calls
    schema_applied.disconnect(receiver, sender=CONFIG)


def test_seeds_are_sown_when_the_schema_is_complete(arena, notes, heard):
    before()
    after()
    assert heard == []
    arena.sql(AUTHORS)
    after()
    after()
    assert heard == [("default", "converged")] * 2


def test_a_flush_makes_no_run_and_sows_again(arena, notes, heard, monkeypatch):
    monkeypatch.setattr(migrating, "converge", None)
    migrate(migrating.after_migrate, LAST)
    assert heard == []  # the tables are not there
    arena.sql("CREATE TABLE plug_note ()")
    migrate(migrating.after_migrate, LAST)
    assert heard == [("default", None)]


def test_a_flush_asks_nothing_where_nobody_listens(arena, notes, django_assert_num_queries):
    with django_assert_num_queries(0):
        migrate(migrating.after_migrate, LAST)


def test_seeds_that_fail_are_told(arena, notes):
    def fails(**_):
        raise LookupError("no such shelf")

    arena.sql(AUTHORS)
    schema_applied.connect(fails, sender=CONFIG)
    try:
        before()
        with pytest.raises(CommandError, match="a receiver failed"):
            after()
        with pytest.raises(CommandError, match="LookupError: no such shelf"):
            migrate(migrating.after_migrate, LAST)
    finally:
        schema_applied.disconnect(fails, sender=CONFIG)


@pytest.mark.parametrize("half", [before, after])
def test_ctrl_c_is_one_line(arena, notes, half, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(migrating, "converge", interrupted)
    with pytest.raises(CommandError, match="Interrupted; run migrate again") as caught:
        half()
    assert caught.value.returncode == 130
