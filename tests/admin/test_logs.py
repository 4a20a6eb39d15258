"""The log: its list, the page of an entry, and the runs."""

import datetime
import uuid

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core_tables.models import Agent, Log
from tests.admin.visits import HOSTILE, queries, text_of

LIST = reverse("admin:core_tables_log_changelist")
RUNS = reverse("admin:core_tables_log_runs")
MANY = """
INSERT INTO logs (type, agent_id, room_id, entity_id, created_at, body)
SELECT CASE WHEN n %% 10 < 2 THEN 'run_event' ELSE 'action' END, %s, %s, %s, now() - n * interval '0.5 second',
       jsonb_build_object('runId', 'run-' || n / 10,
                          'status', CASE WHEN n %% 10 = 1 THEN 'started' ELSE 'completed' END)
  FROM generate_series(1, %s) AS n
"""


def page(entry, view="change"):
    return reverse(f"admin:core_tables_log_{view}", args=[entry.pk])


def types(client, query=""):
    return [entry.type for entry in client.get(f"{LIST}{query}").context["cl"].result_list]


@pytest.fixture
def write(agent, room, entity):
    def write(kind, body=None, *, ago=0, **given):
        moment = timezone.now() - datetime.timedelta(hours=ago)
        fields = {"agent": agent, "room": room, "entity": entity, "created_at": moment} | given
        return Log.objects.create(type=kind, body={} if body is None else body, **fields)

    return write


@pytest.fixture
def fill(agent, room, entity):
    def fill(count):
        with connection.cursor() as cursor:
            cursor.execute(MANY, [agent.pk, room.pk, entity.pk, count])
            cursor.execute("ANALYZE logs, agents, rooms, entities")

    return fill


class TestList:
    def test_shows_what_was_logged(self, client, write):
        write("action", {"runId": "run-12345678901234", "name": "REPLY"})
        shown = text_of(client.get(LIST))
        for part in ("action", "Ada", "lab", "Grace", "?run=run-12345678901234", "&quot;name&quot;: &quot;REPLY&quot;"):
            assert part in shown

    def test_has_the_newest_of_a_day_unless_more_is_asked_for(self, client, write):
        for name, ago in (("new", 0), ("hours", 2), ("days", 30), ("weeks", 24 * 20), ("years", 24 * 900)):
            write(name, ago=ago)
        assert types(client) == ["new", "hours"]
        assert types(client, "?time=hour") == ["new"]
        assert types(client, "?time=week") == ["new", "hours", "days"]
        assert types(client, "?time=month") == ["new", "hours", "days", "weeks"]
        assert types(client, "?time=any") == ["new", "hours", "days", "weeks", "years"]
        assert types(client, "?time=x") == ["new", "hours"]

    def test_is_narrowed(self, client, write, room, entity):
        other = Agent.objects.create(name="Bob")
        write("action")
        write("evaluator", agent=other)
        assert types(client, "?type=action") == ["action"]
        assert types(client, f"?agent={other.pk}") == ["evaluator"]
        assert len(types(client, f"?room={room.pk}&entity={entity.pk}")) == 2
        assert types(client, f"?room={uuid.uuid4()}") == []

    def test_shows_a_run_whole(self, client, write):
        write("run_event", {"runId": "a/b c&?"}, ago=24 * 400)
        write("action", {"runId": "a/b c&?"})
        write("action", {"runId": "other"})
        assert types(client, "?run=a%2Fb+c%26%3F") == ["action", "run_event"]
        assert types(client, "?run=%00") == []

    @pytest.mark.parametrize("body", [[], "words", 5, {"runId": 5}, {"runId": {"a": 1}}, [HOSTILE], {"runId": HOSTILE}])
    def test_shows_bodies_of_any_form(self, client, write, body):
        entry = write(HOSTILE, body, metadata={HOSTILE: HOSTILE})
        for address in (LIST, page(entry), page(entry, "delete"), RUNS):
            response = client.get(address)
            assert response.status_code == 200
            assert "<script>alert" not in text_of(response)

    def test_leaves_large_bodies_where_they_are(self, client, write):
        write("action", {"noise": [uuid.uuid4().hex for _ in range(9_000)]})
        assert "(large)" in text_of(client.get(LIST))

    @pytest.mark.parametrize("query", ["?room=x", "?p=99999", "?body__a=1", "?o=9.-9", "?created_at__gte=x"])
    @pytest.mark.usefixtures("write")
    def test_survives_any_address(self, client, query):
        assert client.get(f"{LIST}{query}").status_code in (200, 302, 400)

    def test_asks_as_much_for_a_hundred_thousand_as_for_some(self, client, fill, agent, room):
        fill(60)
        addresses = [
            *(LIST, f"{LIST}?time=any", f"{LIST}?type=action", f"{LIST}?run=run-3", RUNS, f"{RUNS}?agent={agent.pk}"),
            *(f"{LIST}?room={room.pk}&time=any", f"{LIST}?agent={agent.pk}&type=run_event"),
        ]
        few = [len(queries(client, address)) for address in addresses]
        fill(100_000)
        for address, count in zip(addresses, few, strict=True):
            asked = queries(client, address)
            assert len(asked) == count, address
            for query in asked:
                assert not is_scanned(query["sql"]), query["sql"]


def is_scanned(sql):
    """Whether PostgreSQL would read all entries for a query."""
    if '"logs"' not in sql or not sql.startswith(("SELECT", "WITH")):
        return False
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = [line for (line,) in cursor.fetchall()]
    # A limit ends a scan that all rows satisfy.
    return any("Seq Scan on logs" in line for line in plan) and not any("Limit" in line for line in plan)


class TestPage:
    def test_shows_the_body(self, client, write):
        shown = text_of(client.get(page(write("action", {"runId": "r-1", "prompts": [{"model": "small"}]}))))
        assert "&quot;model&quot;: &quot;small&quot;" in shown
        assert "?run=r-1" in shown

    def test_is_only_read(self, client, write):
        entry = write("action")
        assert 'name="_save"' not in text_of(client.get(page(entry)))
        assert client.post(page(entry), {"type": "x"}).status_code == 403
        assert client.get(reverse("admin:core_tables_log_add")).status_code == 403

    def test_deletes(self, client, write):
        entry, kept = write("action"), write("action")
        client.post(page(entry, "delete"), {"post": "yes"})
        assert Log.objects.get() == kept
        assert LogEntry.objects.get().action_flag == 3

    def test_deletes_what_was_chosen_without_a_look_at_its_body(self, client, write):
        entries = [write("action", {"a": 1}) for _ in range(3)]
        data = {"action": "delete_selected", "_selected_action": [entry.pk for entry in entries]}
        with CaptureQueriesContext(connection) as asked:
            assert "Log entries: 3" in text_of(client.post(LIST, data))
            client.post(LIST, data | {"post": "yes"})
        assert not Log.objects.exists()
        assert not any('"logs"."body",' in query["sql"] for query in asked)


class TestRuns:
    def test_tell_what_became_of_each(self, client, write):
        run = {"runId": "r/1"}
        write("run_event", run | {"status": "started"}, ago=2)
        write("action", run | {"result": {"success": False}}, ago=1.5)
        write("useModel:TEXT_LARGE", run, ago=1.2)
        write("run_event", run | {"status": "completed"}, ago=1)
        (line,) = client.get(RUNS).context["lines"]
        assert (line.run.status, line.run.errors, line.run.model_calls) == ("completed", 1, 1)
        shown = text_of(client.get(RUNS))
        for part in ("completed", "3600.", "lab", "Grace", f"{LIST}?run=r%2F1"):
            assert part in shown

    def test_are_narrowed(self, client, write, agent, room):
        write("run_event", {"runId": "a", "status": "started"})
        other = Agent.objects.create(name="Bob")
        write("run_event", {"runId": "b", "status": "error"}, agent=other)

        def runs(query):
            return [line.run.id for line in client.get(f"{RUNS}{query}").context["lines"]]

        assert runs("?status=error") == ["b"]
        assert runs(f"?agent={agent.pk}") == ["a"]
        assert set(runs(f"?room={room.pk}")) == {"a", "b"}
        assert runs(f"?room={uuid.uuid4()}") == []
        assert runs("?status=x") == runs("?agent=x") == runs("?before=x") == []

    def test_lead_to_older_ones(self, client, fill):
        fill(1_000)
        response = client.get(RUNS)
        first = {line.run.id for line in response.context["lines"]}
        older = client.get(f"{RUNS}{response.context['older']}")
        second = {line.run.id for line in older.context["lines"]}
        assert len(first) == 50
        assert not first & second
        assert first | second == {f"run-{number}" for number in range(100)}

    @pytest.mark.usefixtures("room")
    def test_say_that_there_are_none(self, client):
        assert "No run was found." in text_of(client.get(RUNS))


class TestPermissions:
    def test_nobody_without_rights_sees_anything(self, staff, browse, write):
        entry = write("secret_type")
        client = browse(staff("core_tables.delete_log"))
        for address in (LIST, page(entry), page(entry, "history"), RUNS):
            response = client.get(address)
            assert response.status_code == 403
            assert b"secret_type" not in response.content

    def test_those_who_only_see_delete_nothing(self, staff, browse, write):
        entry = write("action")
        client = browse(staff("core_tables.view_log"))
        assert "action" in text_of(client.get(LIST))
        assert client.get(page(entry, "delete")).status_code == 403
        client.post(LIST, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
        assert Log.objects.exists()
