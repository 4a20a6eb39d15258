"""Forms whose rows change while they are open, and writes that the database refuses."""

import datetime
import json
import sys

import pytest
from django.core.signals import got_request_exception
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.views.debug import ExceptionReporter

from core_tables.admin.secrets import MASK
from core_tables.models import Agent, Entity, Memory, Message, Participant, Room, Task
from tests.admin.visits import text_of

RAISES = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more agents'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON agents FOR EACH ROW EXECUTE FUNCTION refuse();
"""


def page(row, view="change"):
    return reverse(f"admin:core_tables_{row._meta.model_name}_{view}", args=[row.pk])


def opened(client, row):
    """Return what a browser sends of a page that nobody touches."""
    response = client.get(page(row))
    sent = {}
    for form in [
        response.context["adminform"].form,
        *(one for each in response.context["inline_admin_formsets"] for one in each.formset),
    ]:
        for bound in form:
            sent |= _parts(bound.html_name, bound.field.widget, bound.value())
            if bound.field.show_hidden_initial:
                sent[bound.html_initial_name] = bound.field.hidden_widget().format_value(bound.value())
    for each in response.context["inline_admin_formsets"]:
        sent |= {bound.html_name: bound.value() for bound in each.formset.management_form}
    return {name: value for name, value in sent.items() if value is not None and value is not False}


def _parts(name, widget, value):
    if not hasattr(widget, "widgets"):
        return {name: value}
    shown = [one.format_value(part) for one, part in zip(widget.widgets, widget.decompress(value), strict=True)]
    return {f"{name}_{place}": part for place, part in enumerate(shown)}


def errors(response):
    return response.context["adminform"].form.errors


class TestChangesMeanwhile:
    def test_of_a_worker_stay(self, client, agent):
        hour = datetime.timedelta(hours=1)
        task = Task.objects.schedule("remind", agent=agent, at=timezone.now(), every=hour)
        sent = opened(client, task)
        Task.objects.update(run_at=(later := timezone.now() + hour), metadata={"result": 1})
        assert client.post(page(task), sent | {"description": "for Grace"}).status_code == 302
        task.refresh_from_db()
        assert (task.description, task.run_at, task.metadata) == ("for Grace", later, {"result": 1})

    def test_of_a_memorys_words_stay_with_their_vectors(self, client, memory):
        sent = opened(client, memory)
        Memory.objects.filter(pk=memory.pk).update(content={"text": "It roars."})
        assert client.post(page(memory), sent | {"metadata": '{"a": 1}'}).status_code == 302
        memory.refresh_from_db()
        assert (memory.content, memory.metadata) == ({"text": "It roars."}, {"a": 1})
        assert memory.embedding

    def test_of_other_people_stay(self, client, agent, room):
        agents, rooms = opened(client, agent), opened(client, room)
        Agent.objects.update(system="Be brief.", bio=["new"])
        Room.objects.update(name="renamed")
        assert client.post(page(agent), agents | {"username": "ada"}).status_code == 302
        assert client.post(page(room), rooms | {"type": "DM"}).status_code == 302
        agent.refresh_from_db()
        room.refresh_from_db()
        assert (agent.username, agent.system, agent.bio) == ("ada", "Be brief.", ["new"])
        assert (room.type, room.name) == ("DM", "renamed")

    def test_of_the_same_field_are_told_and_written_over_by_those_who_know(self, client, room):
        sent = opened(client, room) | {"name": "mine"}
        Room.objects.update(name="<b>theirs")
        response = client.post(page(room), sent)
        assert "changed this meanwhile to: &lt;b&gt;theirs" in text_of(response)
        assert Room.objects.get().name == "<b>theirs"
        form = response.context["adminform"].form
        assert client.post(page(room), sent | {"initial-name": form.seen("name")}).status_code == 302
        assert Room.objects.get().name == "mine"

    def test_are_no_matter_where_both_wrote_the_same(self, client, room):
        sent = opened(client, room) | {"name": "ours"}
        Room.objects.update(name="ours")
        assert client.post(page(room), sent).status_code == 302

    def test_of_a_participant_stay_too(self, client, room, entity):
        member = Participant.objects.create(room=room, entity=entity)
        sent = opened(client, room)
        Participant.objects.update(room_state="MUTED")
        assert client.post(page(room), sent | {"name": "x"}).status_code == 302
        assert Participant.objects.get().room_state == "MUTED"
        assert client.post(page(room), sent | {"participants-0-room_state": "FOLLOWED"}).status_code == 200
        member.refresh_from_db()
        assert member.room_state == "MUTED"

    def test_a_row_is_locked_before_it_is_compared(self, client, room):
        sent = opened(client, room)
        with CaptureQueriesContext(connection) as asked:
            client.post(page(room), sent | {"name": "x"})
        asked_of_rooms = [one["sql"] for one in asked if ' "rooms"' in one["sql"]]
        locked = next(place for place, sql in enumerate(asked_of_rooms) if "FOR NO KEY UPDATE" in sql)
        (update,) = [sql for sql in asked_of_rooms if sql.startswith("UPDATE")]
        assert asked_of_rooms[locked + 1].startswith("SELECT")
        assert '"type"' not in update.split("WHERE")[0]

    def test_a_page_has_no_content_twice(self, client, memory):
        Memory.objects.filter(pk=memory.pk).update(content={"text": "", "blob": "Zebra" * 2})
        form = client.get(page(memory)).context["adminform"].form
        assert "Zebra" not in form["content"].as_hidden(only_initial=True)


def test_a_participant_that_is_no_longer_among_the_first_is_changed(client, agent, room):
    people = Entity.objects.bulk_create(Entity(agent=agent, names=[f"e{n}"]) for n in range(51))
    rows = Participant.objects.bulk_create(Participant(room=room, entity=one) for one in people[:50])
    sent = opened(client, room)
    Participant.objects.create(room=room, entity=people[50], created_at="2001-01-01T00:00Z")
    assert client.post(page(room), sent | {"participants-49-room_state": "MUTED"}).status_code == 302
    changed = Participant.objects.get(room_state="MUTED")
    assert changed.pk in {row.pk for row in rows}
    assert str(changed.pk) == str(sent["participants-49-id"])


class TestRefusals:
    def long(self, size=300_000):
        return "".join(map(str, range(size // 5)))

    @pytest.mark.parametrize(("model", "field"), [("entity", "names"), ("room", "channel_id"), ("room", "source")])
    def test_of_an_index_are_told_at_the_field(self, client, request, model, field):
        row = request.getfixturevalue(model)
        sent = opened(client, row) | {field: self.long()}
        response = client.post(page(row), sent)
        assert response.status_code == 200
        assert "too long for the database" in str(errors(response)[field])
        assert response.context["adminform"].form[field].value() == sent[field]
        assert not type(row).objects.filter(
            **{f"{field}__contains": self.long() if field != "names" else [self.long()]}
        )

    def test_while_adding(self, client, agent):
        response = client.post(
            reverse("admin:core_tables_entity_add"), {"agent": agent.pk, "names": self.long(), "metadata": "{}"}
        )
        assert "too long for the database" in str(errors(response)["names"])

    def test_of_a_constraint_have_no_row_in_them(self, client, agent):
        Agent.objects.update(settings={"token": "hunter2"})
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE agents ADD CONSTRAINT ours CHECK (username <> 'root')")
        response = client.post(page(agent), opened(client, agent) | {"username": "root"})
        assert "violates check constraint" in text_of(response)
        assert "hunter2" not in text_of(response)


@pytest.mark.parametrize("debug", [True, False])
def test_a_report_of_an_error_has_no_secret(superuser, agent, settings, debug):
    settings.DEBUG = debug
    Agent.objects.update(settings={"OPENAI_API_KEY": "TOP" + "SECRET", "db": {"password": "TOP" + "SECRET"}, "x": "1"})
    client = Client(raise_request_exception=False)
    client.force_login(superuser)
    sent = opened(client, agent)
    sent["settings"] = json.dumps({"OPENAI_API_KEY": MASK, "db": {"password": MASK}, "x": "2"})
    with connection.cursor() as cursor:
        cursor.execute(RAISES)
    reports = []

    def report(request, **_):
        reporter = ExceptionReporter(request, *sys.exc_info())
        reports.extend([reporter.get_traceback_html(), reporter.get_traceback_text()])

    got_request_exception.connect(report)
    try:
        response = client.post(page(agent), sent)
    finally:
        got_request_exception.disconnect(report)
    assert response.status_code == 500
    for text in [*reports, text_of(response)]:
        assert "TOPSECRET" not in text
    assert len(reports) == 2
    assert "no more agents" in reports[0]


@pytest.mark.parametrize(
    ("value", "told"),
    [("[1]", "a list"), ('"x"', "a text"), ("5", "a number"), ("true", "true or false")],
)
def test_what_is_no_object_is_told_in_plain_words(client, memory, value, told):
    said = str(errors(client.post(page(memory), opened(client, memory) | {"content": value}))["content"])
    assert f"This is {told}: write a JSON object" in said
    assert "dict" not in said


def test_a_participant_needs_a_room_and_an_entity(client, room, entity):
    add = reverse("admin:core_tables_participant_add")
    assert {"room", "entity"} <= errors(client.post(add, {"metadata": "{}"})).keys()
    assert client.post(add, {"metadata": "{}", "room": room.pk, "entity": entity.pk}).status_code == 302


def test_a_memory_takes_the_room_and_the_entity_of_its_agent_alone(client, agent, room, entity):
    other = Agent.objects.create(name="Bob")
    sent = {"type": "facts", "content": '{"text": "x"}', "metadata": "{}", "room": room.pk, "entity": entity.pk}
    add = reverse("admin:core_tables_memory_add")
    assert {"room", "entity"} <= errors(client.post(add, sent | {"agent": other.pk})).keys()
    assert client.post(add, sent | {"agent": agent.pk}).status_code == 302


def test_a_message_that_is_not_touched_is_not_written(client, room):
    message = Message.objects.create(room=room, content="a\nb ", raw_message={"deep": [1]})
    before = Message.objects.values().get()
    assert client.post(page(message), opened(client, message)).status_code == 302
    assert Message.objects.values().get() == before
