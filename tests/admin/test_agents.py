import json

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core_tables.admin.secrets import MASK
from core_tables.models import Agent, Memory
from tests.admin import many

LIST = reverse("admin:core_tables_agent_changelist")
SECRET = "sk-very-secret"
HOSTILE = "<script>alert(1)</script>\"'&"


def page_of(agent, name="change"):
    return reverse(f"admin:core_tables_agent_{name}", args=[agent.pk])


def form_of(response):
    """What a browser sends when nobody touches the form."""
    form = response.context["adminform"].form
    sent = {form.add_prefix(name): form[name].value() for name in form.fields}
    sent |= {
        form[name].html_initial_name: form[name].field.hidden_widget().format_value(form[name].value())
        for name in form.fields
        if form[name].field.show_hidden_initial
    }
    return {
        name: value.replace("\n", "\r\n") if isinstance(value, str) else value
        for name, value in sent.items()
        if value is not None and value is not False
    }


@pytest.fixture
def agent(site):
    return Agent.objects.create(name="Ada", settings={"model": "a", "OPENAI_API_KEY": SECRET})


@pytest.mark.parametrize("permission", ["core_tables.change_agent", "core_tables.view_agent"])
def test_settings_are_shown_without_their_secrets(agent, staff, browse, permission):
    page = browse(staff(permission)).get(page_of(agent)).content.decode()
    assert "OPENAI_API_KEY" in page
    assert MASK in page
    assert SECRET not in page


def test_saving_keeps_the_secrets_and_logs_none(agent, client):
    sent = form_of(client.get(page_of(agent)))
    sent["settings"] = json.dumps({"model": "b", "OPENAI_API_KEY": MASK, "BOT_TOKEN": "sk-new"})
    response = client.post(page_of(agent), sent)
    assert response.status_code == 302, response.context["errors"]
    agent.refresh_from_db()
    assert agent.settings == {"model": "b", "OPENAI_API_KEY": SECRET, "BOT_TOKEN": "sk-new"}
    entry = LogEntry.objects.get()
    said = [str(message) for message in get_messages(response.wsgi_request)]
    assert "settings" in entry.get_change_message().lower()
    for text in [
        entry.change_message,
        entry.object_repr,
        *said,
        client.get(page_of(agent, "history")).content.decode(),
    ]:
        assert SECRET not in text
        assert "sk-new" not in text


def test_saving_what_was_not_touched_changes_nothing(agent, client):
    Agent.objects.update(system="Be brief.\n\n  Always.\n", name=" Ada\nL. ", bio={"a": [1]}, metadata={"b": None})
    before = Agent.objects.values().get()
    assert client.post(page_of(agent), form_of(client.get(page_of(agent)))).status_code == 302
    assert Agent.objects.values().get() == before
    assert LogEntry.objects.get().get_change_message() == "No fields changed."


def test_a_change_made_meanwhile_is_not_lost(agent, client):
    sent = form_of(client.get(page_of(agent)))
    Agent.objects.patch(agent, settings={"OPENAI_API_KEY": "sk-rotated", "more": 1}, system="Be brief.")
    sent["settings"] = json.dumps({"model": "b", "OPENAI_API_KEY": MASK})
    with CaptureQueriesContext(connection) as queries:
        assert client.post(page_of(agent), sent).status_code == 302
    assert any("FOR NO KEY UPDATE" in query["sql"] for query in queries)
    agent.refresh_from_db()
    assert agent.settings == {"model": "b", "OPENAI_API_KEY": "sk-rotated", "more": 1}


def test_columns_that_nobody_edited_are_not_written(agent, client):
    sent = form_of(client.get(page_of(agent))) | {"name": "Ada L."}
    with CaptureQueriesContext(connection) as queries:
        client.post(page_of(agent), sent)
    (update,) = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "agents"')]
    assert "settings" not in update.split("WHERE")[0]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ("", "write a JSON object"),
        ("[]", "write a JSON object"),
        ("{", "Enter a valid JSON"),
        (json.dumps({"OTHER_KEY": MASK}), "write the value"),
        ('{"a": "\\u0000"}', "NUL"),
    ],
)
def test_settings_that_are_refused(agent, client, settings, error):
    sent = form_of(client.get(page_of(agent))) | {"settings": settings}
    page = client.post(page_of(agent), sent)
    assert error in str(page.context["adminform"].form.errors["settings"])
    agent.refresh_from_db()
    assert agent.settings["OPENAI_API_KEY"] == SECRET


def test_after_a_mistake_elsewhere_what_was_typed_is_still_there(agent, client):
    typed = json.dumps({"BOT_TOKEN": "sk-typed", "OPENAI_API_KEY": MASK})
    page = client.post(page_of(agent), form_of(client.get(page_of(agent))) | {"name": "", "settings": typed})
    assert page.context["adminform"].form["settings"].value() == typed
    again = form_of(page) | {"name": "Ada"}
    again["initial-settings"] = page.context["adminform"].form.data["initial-settings"]
    assert client.post(page_of(agent), again).status_code == 302
    agent.refresh_from_db()
    assert agent.settings == {"BOT_TOKEN": "sk-typed", "OPENAI_API_KEY": SECRET}


def test_an_agent_is_added_and_empty_json_is_what_the_column_begins_with(client, site):
    sent = form_of(client.get(reverse("admin:core_tables_agent_add"))) | {"name": "Bo", "topics": "", "style": ""}
    assert client.post(reverse("admin:core_tables_agent_add"), sent).status_code == 302
    found = Agent.objects.get(name="Bo")
    assert (found.topics, found.style, found.settings) == ([], {}, {})


def test_who_may_only_view_writes_nothing(agent, staff, browse):
    viewer = browse(staff("core_tables.view_agent"))
    assert viewer.post(page_of(agent), {"name": "x"}).status_code == 403
    assert viewer.post(page_of(agent, "delete"), {"post": "yes"}).status_code == 403
    assert Agent.objects.get().name == "Ada"


def test_nobody_else_sees_anything(agent, staff, browse):
    other = browse(staff())
    assert {other.get(page).status_code for page in (LIST, page_of(agent))} == {403}


def test_last_activity_is_for_those_who_may_see_memories(agent, staff, browse, client):
    Memory.objects.create(agent=agent, type="facts", content={}, created_at="2020-02-02T02:02:02Z")
    assert "Feb. 2, 2020" in client.get(LIST).content.decode()
    assert "2020" not in browse(staff("core_tables.view_agent")).get(LIST).content.decode()


def test_settings_are_not_searched_by_the_address(agent, client):
    assert client.get(LIST, {"settings__OPENAI_API_KEY__startswith": "sk"}).status_code in (302, 400)


def test_hostile_names_are_escaped(agent, client):
    Agent.objects.update(name=HOSTILE, username=HOSTILE, settings={HOSTILE: HOSTILE}, bio=[HOSTILE], system=HOSTILE)
    for page in (LIST, page_of(agent), page_of(agent, "delete"), page_of(agent, "history")):
        assert "<script>alert" not in client.get(page).content.decode()


def test_pages_ask_as_much_of_a_hundred_thousand_memories_as_of_ten(agent, room, entity, client):
    def asked():
        found = []
        for page in (LIST, page_of(agent), page_of(agent, "delete")):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            found.append(len(queries))
        return found

    many.memories(agent, room, entity, 10)
    asked()
    few = asked()
    Agent.objects.bulk_create(Agent(name=f"a{number}") for number in range(60))
    many.memories(agent, room, entity, 100_000)
    many.analyzed()
    assert asked() == few
    assert "Memories: about 100,000" in client.get(page_of(agent, "delete")).content.decode()
