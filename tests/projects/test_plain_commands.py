"""Django's own commands go on working in the host "plain"."""

import json

import pytest

from tests.projects.several import several

pytestmark = [
    pytest.mark.parametrize("project", [("plain", "default")], indirect=True),
    pytest.mark.extension("vector"),
]
SETTINGS = "helpdesk.settings"
DUMP = "dumpdata --natural-foreign --exclude contenttypes --exclude auth.permission --output"
WRITE_ROWS = """
from core_tables.models import Agent, Cache, Embedding, Memory
from desk.tests import open_ticket
from notes.models import Note
ticket = open_ticket()
note = Note.objects.create(author=ticket.opened_by, ticket=ticket, agent=ticket.agent, text="It is plugged in.")
note.readers.add(ticket.opened_by)
ticket.pinned = note
ticket.save()
ticket.see_also.add(note)
Cache.objects.create(key="mood", agent=ticket.agent, value={"good": True})
memory = Memory.objects.create(agent=ticket.agent, type="facts", content={"text": "It hums."})
Embedding.objects.create(memory=memory, dim_384=[0.25] * 384)
"""
ROWS = (
    "SELECT (SELECT count(*) FROM notes_note), (SELECT count(*) FROM cache), (SELECT count(*) FROM embeddings), "
    "(SELECT count(*) FROM desk_ticket), (SELECT count(*) FROM weather_place)"
)


def test_commands_that_look(project):
    assert "desk.0002_ties" in project.manage("migrate", "--plan").stdout
    assert project.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
    assert project.sql("SELECT extname FROM pg_extension WHERE extname = 'vector'") == []

    _, checked, changes, applied, ties, flush, models, cache = several(
        project,
        SETTINGS,
        "migrate",
        "migrate --check",
        "makemigrations --check",
        "showmigrations",
        "sqlmigrate desk 0002",
        "sqlflush",
        "inspectdb notes_note cache embeddings",
        "createcachetable",
    )
    assert checked == ""
    assert changes == "No changes detected\n"
    assert "desk\n [X] 0001_initial\n [X] 0002_ties\n" in applied
    assert "notes" not in applied
    assert 'REFERENCES "agents"("id")' in ties
    assert {"notes_note", "weather_place", "embeddings", "desk_ticket"} <= set(flush.split('"'))
    assert "models.CompositePrimaryKey('key', 'agent_id')" in models
    assert "models.ForeignKey('DeskTicket'" in models
    assert cache == ""


def test_rows_go_out_and_come_back(project, tmp_path):
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    several(project, SETTINGS, "migrate", ["shell", "-v", "0", "-c", WRITE_ROWS], f"{DUMP} {before}")
    assert project.sql(ROWS) == [(1, 1, 1, 1, 3)]
    assert {"core_tables.cache", "core_tables.embedding", "notes.note"} <= {
        row["model"] for row in json.loads(before.read_text())
    }

    project.manage("flush", "--noinput")
    assert project.sql(ROWS) == [(0, 0, 0, 0, 3)]
    several(project, SETTINGS, f"loaddata {before}", f"{DUMP} {after}", "automigrate --check")
    assert after.read_text() == before.read_text()


def test_an_app_that_is_taken_back_and_made_again(project):
    _, back = several(project, SETTINGS, "migrate", "migrate desk zero")
    assert "foreign key notes_note(ticket_id) for desk_ticket (desk.Ticket)" in back
    assert project.sql("SELECT count(*) FROM weather_place") == [(3,)]

    forward, faked, check = several(project, SETTINGS, "migrate", "migrate --fake", "automigrate --check")
    assert "1 foreign key in" in forward
    assert "No migrations to apply" in faked
    assert "Nothing to do" in check
