"""manage.py automigrate: what it refuses before it asks the database anything."""

import pytest
from django.core.management import CommandError, call_command, execute_from_command_line
from django.db import ConnectionHandler
from django.test import override_settings

from agentsql import session

SQLITE = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["core_tabels"], "No installed app has the label 'core_tabels'. Did you mean 'core_tables'?"),
        (
            ["auth"],
            (
                "'auth' is not a plugin: set `automigrate = True` on its AppConfig, "
                "or add 'auth' to AGENTSQL[\"PLUGINS\"]."
            ),
        ),
        (["--zone=UTC"], "--zone is for --widen: give both."),
        (["--database=other"], "There is no database alias 'other'. There are: default."),
    ],
    ids=["unknown label", "not a plugin", "zone without widen", "unknown alias"],
)
def test_what_is_refused(capsys, arguments, line):
    with pytest.raises(SystemExit) as ended:
        execute_from_command_line(["manage.py", "automigrate", *arguments])
    assert (ended.value.code, *capsys.readouterr()) == (1, "", f"CommandError: {line}\n")


def test_another_database_system(capsys, monkeypatch):
    monkeypatch.setattr(session, "connections", SQLITE)
    with pytest.raises(SystemExit) as ended:
        execute_from_command_line(["manage.py", "automigrate"])
    line = "The database 'default' is SQLite; automigrate needs PostgreSQL. Choose another alias with --database."
    assert (ended.value.code, *capsys.readouterr()) == (1, "", f"CommandError: {line}\n")


def test_bad_settings():
    with override_settings(AGENTSQL={"PLUGIN": []}), pytest.raises(CommandError, match="Did you mean 'PLUGINS'"):
        call_command("automigrate")


@pytest.mark.parametrize("form", ["json", "github"])
def test_a_program_reads_why_nothing_could_be_done(capsys, form):
    with pytest.raises(SystemExit):
        execute_from_command_line(["manage.py", "automigrate", "--database=other", f"--format={form}"])
    out, err = capsys.readouterr()
    assert ("agentsql.D022" in out, "There is no database alias 'other'." in out) == (True, True)
    assert err.startswith("CommandError: There is no database alias 'other'.")
