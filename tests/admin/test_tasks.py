"""The list of tasks, the page of one, and what operators do about them."""

import datetime
import uuid

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core_tables.admin.lines import LinesField
from core_tables.admin.tasks.states import STATES, spelled, state_of
from core_tables.models import Agent, Task
from tests.admin.visits import HOSTILE, queries, text_of

LIST = reverse("admin:core_tables_task_changelist")
HOUR = datetime.timedelta(hours=1)
MANY = """
INSERT INTO tasks (name, agent_id, status, run_at, locked_until, finished_at, attempts, last_error)
SELECT 'mail:' || n %% 1000, %s, (ARRAY['pending', 'running', 'failed', 'done', 'cancelled'])[1 + n %% 5],
       CASE WHEN n %% 20 > 0 THEN now() + (n %% 7 - 3) * interval '1 day' END,
       CASE WHEN n %% 5 = 1 THEN now() + (n %% 60 - 30) * interval '1 minute' END,
       CASE WHEN n %% 5 > 1 THEN now() - n * interval '1 minute' END, 1, 'Traceback' || repeat(E'\\n  line', 50)
  FROM generate_series(1, %s) AS n
"""


def page(task, view="change"):
    return reverse(f"admin:core_tables_task_{view}", args=[task.pk])


def fill(agent, count):
    with connection.cursor() as cursor:
        cursor.execute(MANY, [agent.pk, count])
        cursor.execute("ANALYZE tasks, agents")


def names(client, query=""):
    response = client.get(f"{LIST}{query}")
    return [task.name for task in response.context["cl"].result_list]


def form_of(task, **changes):
    run_at = task.run_at and timezone.localtime(task.run_at)
    return {
        "name": task.name,
        "description": task.description or "",
        "agent": task.agent_id,
        "run_at_0": run_at.strftime("%Y-%m-%d") if run_at else "",
        "run_at_1": run_at.strftime("%H:%M:%S") if run_at else "",
        "every": "",
        "max_attempts": task.max_attempts,
        "metadata": "{}",
        "tags": LinesField().prepare_value(task.tags or []),
        "room_id": "",
        "world_id": "",
        "entity_id": "",
    } | changes


@pytest.fixture
def states(agent):
    """A task in each state, named by it."""
    now, schedule = timezone.now(), Task.objects.schedule
    schedule("waiting", agent=agent, at=HOUR)
    schedule("due", agent=agent, at=now - datetime.timedelta(minutes=1))
    schedule("overdue", agent=agent, at=now - HOUR)
    for name, locked_until in (("running", now + HOUR), ("lapsed", now - HOUR)):
        task = schedule(name, agent=agent)
        Task.objects.filter(pk=task.pk).update(status="running", locked_until=locked_until, lease=uuid.uuid4())
    for name in ("failed", "done", "cancelled"):
        Task.objects.filter(pk=schedule(name, agent=agent).pk).update(status=name, finished_at=now)
    Task.objects.create(name="another program's", agent=agent)
    return {task.name: task for task in Task.objects.all()}


@pytest.fixture
def task(agent):
    return Task.objects.schedule("remind", agent=agent, at=HOUR, metadata={"words": 3})


@pytest.fixture
def viewer(staff, browse):
    return browse(staff("core_tables.view_task"))


class TestList:
    @pytest.mark.usefixtures("states")
    def test_has_what_waits_the_longest_waiting_first(self, client):
        assert names(client) == ["overdue", "due", "waiting"]

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("due", {"due", "overdue"}),
            ("overdue", {"overdue"}),
            ("running", {"running", "lapsed"}),
            ("lapsed", {"lapsed"}),
            ("failed", {"failed"}),
            ("done", {"done"}),
            ("cancelled", {"cancelled"}),
            ("foreign", {"another program's"}),
        ],
    )
    @pytest.mark.usefixtures("states")
    def test_is_narrowed_to_a_state(self, client, state, expected):
        assert set(names(client, f"?state={state}")) == expected

    def test_has_all_states_by_agent_and_name(self, client, states):
        assert names(client, "?state=any") == sorted(states)

    @pytest.mark.usefixtures("states")
    def test_takes_no_unknown_state(self, client):
        assert names(client, "?state=%27") == ["overdue", "due", "waiting"]

    def test_tells_the_state_of_each(self, states):
        assert {name: state_of(task) for name, task in states.items()} == {name: name for name in states}

    @pytest.mark.usefixtures("task")
    def test_shows_where_a_task_stands(self, client):
        error = "Traceback (most recent call last):\n  File x\nValueError: no words"
        Task.objects.update(every=HOUR * 26, attempts=2, worker="w-7", last_error=error)
        shown = text_of(client.get(LIST))
        for part in ("remind", "Ada", "every 1 day 2 hours", "2 of 5", "w-7", ">ValueError: no words<"):
            assert part in shown

    @pytest.mark.usefixtures("task")
    def test_tells_that_a_disabled_agent_does_nothing(self, client):
        Agent.objects.update(enabled=False)
        assert "disabled: its tasks wait" in text_of(client.get(LIST))

    @pytest.mark.usefixtures("task")
    def test_is_narrowed_to_an_agent_and_to_names(self, client):
        other = Agent.objects.create(name="Bob")
        Task.objects.schedule("mail:1", agent=other)
        assert names(client, f"?agent={other.pk}") == ["mail:1"]
        assert names(client, "?name=remind") == ["remind"]
        assert names(client, "?name=mail:*") == ["mail:1"]
        assert "?name=remind" in text_of(client.get(LIST))
        assert "?name=remind" not in text_of(client.get(f"{LIST}?agent={other.pk}"))

    @pytest.mark.usefixtures("states")
    def test_searches_names_in_every_state(self, client):
        assert names(client, "?q=failed") == ["failed"]
        assert names(client, "?q=due") == ["due"]
        assert names(client, "?q=d*") == ["done", "due"]
        assert names(client, "?q=d*&state=done") == ["done"]

    def test_escapes_what_agents_wrote(self, client):
        agent = Agent.objects.create(name=HOSTILE)
        task = Task.objects.schedule(
            HOSTILE, agent=agent, description=HOSTILE, metadata={HOSTILE: HOSTILE}, tags=[HOSTILE]
        )
        Task.objects.update(worker=HOSTILE, last_error=HOSTILE)
        for address in (LIST, f"{LIST}?name=x&state=any", f"{LIST}?q=x", page(task), page(task, "delete")):
            assert "<script>alert" not in text_of(client.get(address))

    @pytest.mark.usefixtures("task")
    def test_loads_neither_metadata_nor_whole_errors(self, client):
        for query in queries(client, LIST):
            assert '"metadata"' not in query["sql"]
            assert '"last_error"' not in query["sql"].replace('RIGHT("tasks"."last_error", 400)', "")

    @pytest.mark.parametrize("query", ["?state=%00", "?name=%00", "?agent=x", "?o=1.2.3", "?p=99999", "?metadata__x=1"])
    @pytest.mark.usefixtures("task")
    def test_survives_any_address(self, client, query):
        assert client.get(f"{LIST}{query}").status_code in (200, 302, 400)

    def test_asks_as_much_for_a_hundred_thousand_as_for_some(self, client, agent):
        fill(agent, 60)
        addresses = [f"{LIST}?state={state}" for state in STATES] + [f"{LIST}?q=mail:7*", f"{LIST}?name=mail:7"]
        few = [len(queries(client, address)) for address in addresses]
        fill(agent, 100_000)
        for address, count in zip(addresses, few, strict=True):
            assert len(queries(client, address)) == count, address

    def test_reads_each_state_along_an_index(self, client, agent):
        fill(agent, 20_000)
        for state in STATES:
            with CaptureQueriesContext(connection) as asked:
                client.get(f"{LIST}?state={state}")
            page_ids = next(one["sql"] for one in asked if "LIMIT 50" in one["sql"] and "tasks" in one["sql"])
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {page_ids}")
                plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan on tasks" not in plan, (state, plan)


class TestPage:
    def test_shows_the_last_error_whole(self, client, task):
        error = "first line\n" + "x" * 9_000 + "\nlast line"
        Task.objects.update(last_error=error)
        assert error in text_of(client.get(page(task)))

    def test_of_a_task_at_work_changes_nothing_of_the_work(self, client, task):
        Task.objects.update(run_at=timezone.now() - HOUR)
        (taken,) = Task.objects.claim(worker="w-1")
        data = form_of(taken, metadata='{"words": 3}', description="For Grace.")
        assert client.post(page(task), data).status_code == 302
        Task.objects.complete(taken, {"sent": True})
        task.refresh_from_db()
        assert (task.description, task.status, task.worker) == ("For Grace.", "done", "w-1")
        assert task.metadata == {"words": 3, "result": {"sent": True}}

    def test_writes_nothing_but_what_was_changed(self, client, task):
        Task.objects.update(run_at=timezone.now() - HOUR)
        task.refresh_from_db()
        with CaptureQueriesContext(connection) as asked:
            assert client.post(page(task), form_of(task, metadata='{"words": 4}')).status_code == 302
        (update,) = [one["sql"] for one in asked if one["sql"].startswith('UPDATE "tasks"')]
        for column in ("status", "lease", "locked_until", "attempts", "run_at", "worker", "tags"):
            assert f'"{column}" =' not in update

    def test_leaves_all_as_it_was_where_nothing_was_changed(self, client, agent):
        task = Task.objects.create(name="theirs", agent=agent, tags=["a,b", "two\nlines"], metadata=None)
        data = form_of(task, metadata="null")
        assert client.post(page(task), data).status_code == 302
        before, task = task, Task.objects.get(pk=task.pk)
        assert (task.tags, task.metadata, task.updated_at) == (["a,b", "two\nlines"], None, before.updated_at)

    def test_takes_the_line_ends_of_browsers_for_no_change(self, client, agent):
        task = Task.objects.schedule("two\nlines ", agent=agent, description="a\nb")
        client.post(page(task), form_of(task, name="two\r\nlines ", description="a\r\nb", max_attempts=7))
        task.refresh_from_db()
        assert (task.name, task.description, task.max_attempts) == ("two\nlines ", "a\nb", 7)

    def test_takes_tags_line_by_line(self, client, task):
        client.post(page(task), form_of(task, tags="one, and\r\n two \r\n\r\n"))
        task.refresh_from_db()
        assert task.tags == ["one, and", "two"]

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"tags": "queue"}, "elizaOS runs and deletes"),
            ({"tags": "a\0"}, "Null characters"),
            ({"max_attempts": 0}, "at least 1 attempt"),
            ({"every": "0"}, "above 0"),
            ({"every": "99999999 00:00"}, "a century"),
            ({"metadata": "[1]"}, "write a JSON object"),
            ({"metadata": '{"a": "\\u0000"}'}, "NUL character"),
            ({"name": "x" * 3_000}, "is the most"),
            ({"room_id": "x"}, "valid UUID"),
        ],
    )
    def test_tells_what_a_worker_or_the_database_would_refuse(self, client, task, changes, error):
        response = client.post(page(task), form_of(task, **changes))
        assert response.status_code == 200
        assert error in text_of(response)

    def test_status_and_lease_are_not_to_be_edited(self, client, task):
        client.post(
            page(task), form_of(task, status="done", lease=uuid.uuid4(), attempts=9, locked_until_0="2000-01-01")
        )
        task.refresh_from_db()
        assert (task.status, task.lease, task.attempts, task.locked_until) == ("pending", None, 0, None)

    def test_adds_one_that_is_due(self, client, agent):
        address = reverse("admin:core_tables_task_add")
        assert 'name="run_at_0" value="20' in text_of(client.get(address))
        task = Task(name="new", agent=agent, run_at=timezone.now(), max_attempts=2)
        assert client.post(address, form_of(task)).status_code == 302
        assert Task.objects.due().get().max_attempts == 2


class TestActions:
    def act(self, client, action, *tasks, query="?state=any", **more):
        data = {"action": action, "_selected_action": [task.pk for task in tasks], **more}
        return text_of(client.post(f"{LIST}{query}", data, follow=True))

    def status(self, tasks):
        return {task.name: task.status for task in Task.objects.all() if task.name in tasks}

    def test_retry(self, client, states):
        shown = self.act(client, "retry", *states.values())
        assert "6 tasks made due again" in shown
        assert "3 tasks left as they were" in shown
        assert set(self.status({"failed", "done", "cancelled", "waiting"}).values()) == {"pending"}
        assert self.status({"running", "lapsed"}) == {"running": "running", "lapsed": "running"}
        assert Task.objects.get(name="another program's").run_at is None
        assert LogEntry.objects.count() == 6

    def test_run_now(self, client, states):
        shown = self.act(client, "run_now", *states.values())
        assert "4 tasks made due now" in shown
        assert "5 tasks left as they were" in shown
        assert {task.name for task in Task.objects.due()} == {"due", "overdue", "waiting", "failed"}
        assert self.status({"done", "cancelled"}) == {"done": "done", "cancelled": "cancelled"}

    def test_run_now_keeps_the_attempts_of_what_waits(self, client, task):
        Task.objects.update(attempts=3)
        self.act(client, "run_now", task)
        assert Task.objects.due().get().attempts == 3

    def test_cancel(self, client, states):
        shown = self.act(client, "cancel", *states.values())
        assert "5 tasks made cancelled" in shown
        assert "4 tasks left as they were" in shown
        assert Task.objects.get(name="running").lease is None
        assert Task.objects.get(name="done").status == "done"

    def test_what_a_worker_took_meanwhile_is_left_to_it_and_counted(self, client, task):
        Task.objects.update(run_at=timezone.now())
        (taken,) = Task.objects.claim()
        assert "1 task left as it was" in self.act(client, "run_now", task, query="?state=waiting")
        Task.objects.complete(taken)
        assert not LogEntry.objects.exists()

    @pytest.mark.parametrize("button", ["retry", "run_now"])
    def test_on_the_page(self, client, task, button):
        Task.objects.update(status="failed")
        assert f'id="{button.replace("_", "-")}"' in text_of(client.get(page(task)))
        assert client.post(page(task, button)).status_code == 302
        assert Task.objects.due().get() == task
        assert LogEntry.objects.get().object_id == str(task.pk)

    def test_on_the_page_of_a_running_one(self, client, task):
        Task.objects.update(status="running")
        shown = text_of(client.get(page(task)))
        assert 'id="retry"' not in shown
        assert "a worker has it" in text_of(client.post(page(task, "retry"), follow=True))
        assert client.post(page(task, "cancel")).status_code == 302
        task.refresh_from_db()
        assert task.status == "cancelled"

    def test_on_a_page_that_is_gone(self, client, task):
        address = page(task, "cancel")
        task.delete()
        assert "There is no task" in text_of(client.post(address, follow=True))

    def test_ask_as_much_for_many(self, client, agent):
        def count(number):
            Task.objects.all().delete()
            fill(agent, number)
            tasks = list(Task.objects.all())
            with CaptureQueriesContext(connection) as asked:
                self.act(client, "retry", *tasks)
            return len(asked)

        count(10)
        assert count(200) == count(10)


class TestPermissions:
    def test_nobody_without_rights_sees_a_task(self, staff, browse, task):
        client = browse(staff())
        for address in (LIST, page(task), page(task, "delete"), page(task, "history")):
            response = client.get(address)
            assert response.status_code == 403
            assert b"remind" not in response.content

    def test_those_who_only_see_are_offered_nothing_else(self, viewer, task):
        shown = text_of(viewer.get(LIST)) + text_of(viewer.get(page(task)))
        assert "remind" in shown
        for offer in ('value="retry"', 'value="cancel"', 'value="delete_selected"', 'id="run-now"', 'name="_save"'):
            assert offer not in shown

    def test_those_who_only_see_change_nothing(self, viewer, task):
        for action in ("retry", "run_now", "cancel", "delete_selected"):
            viewer.post(LIST, {"action": action, "_selected_action": [task.pk], "post": "yes"})
        for button in ("retry", "run_now", "cancel"):
            assert viewer.post(page(task, button)).status_code == 403
        assert viewer.post(page(task), form_of(task, name="x")).status_code == 403
        assert Task.objects.pending().get().updated_at == task.updated_at

    def test_buttons_write_by_post_alone_and_from_their_own_pages(self, client, superuser, task):
        assert client.get(page(task, "cancel")).status_code == 405
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(superuser)
        assert strict.post(page(task, "cancel")).status_code == 403


@pytest.mark.parametrize(
    ("every", "told"),
    [
        (None, ""),
        (datetime.timedelta(0), ""),
        (HOUR, "every 1 hour"),
        (datetime.timedelta(days=7), "every 7 days"),
        (datetime.timedelta(days=1, minutes=90, seconds=1), "every 1 day 1 hour 30 minutes 1 second"),
        (datetime.timedelta(milliseconds=5), "more than once a second"),
    ],
)
def test_spans_in_words(every, told):
    assert spelled(every) == told
