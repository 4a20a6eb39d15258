"""The worker in this process: what handlers are, and how attempts end."""

import threading
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.functions import Now

from core_tables.models import Agent, Entity, Log, Task
from core_tables.worker import GiveUp, TryLater, agent_task, handler_of, registered, registry

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _handlers(monkeypatch):
    monkeypatch.setattr(registry, "_handlers", {})


@pytest.fixture
def run(committed_store):
    """Run the command until nothing is due, and return what it said."""

    def run(**options):
        out, err = StringIO(), StringIO()
        words = {"drain": True, "poll": 0.05, "verbosity": 2, "no_color": True} | options
        try:
            call_command("run_agent_tasks", stdout=out, stderr=err, **words)
        except CommandError as error:
            err.write(f"exit {error.returncode}: {error}")
        return out.getvalue() + err.getvalue()

    return run


def nothing(task): ...


def after(task):
    task.refresh_from_db()
    return task


def test_a_name_has_one_handler():
    @agent_task("summarise")
    def first(task): ...

    with pytest.raises(ImproperlyConfigured, match=r"first and .*second want the tasks named 'summarise'"):

        @agent_task("summarise")
        def second(task): ...

    agent_task("summarise")(first)  # a module that is imported again
    assert list(registered()) == ["summarise"]


def test_the_narrowest_handler_does_a_task():
    for name in ("mail:*", "mail:send*", "mail:send"):
        agent_task(name)(nothing)
    names = [handler_of(name).name for name in ("mail:send", "mail:sendall", "mail:read")]
    assert names == ["mail:send", "mail:send*", "mail:*"]
    with pytest.raises(KeyError):
        handler_of("mail")


def test_a_row_that_can_not_be_read_does_not_stop_the_others(run, agent):
    agent_task("a")(nothing)
    odd = Task.objects.schedule("a", agent=agent, at=-HOUR, max_attempts=1)
    Task.objects.schedule("a", agent=agent, at=HOUR)
    with connection.cursor() as cursor:
        # Python refuses to read a number of so many digits.
        sql = """UPDATE tasks SET metadata = ('{"n": 1' || repeat('0', 5000) || '}')::jsonb WHERE id = %s"""
        cursor.execute(sql, [odd.pk])
    Task.objects.schedule("a", agent=agent)
    said = run(concurrency=1, lease=0.5)
    assert "1 done" in said
    assert said.count("A task can't be read (ValueError: ") == 1


@pytest.mark.parametrize("wait", [timedelta(0), timedelta(days=-1)])
def test_to_ask_for_no_time_is_to_wait_as_usual(run, agent, wait):
    agent_task("a")(raising(TryLater(wait)))
    task = Task.objects.schedule("a", agent=agent)
    assert "0 done, 1 to be tried again" in run()
    assert after(task).run_at > task.started_at
    with pytest.raises(TypeError, match="takes a timedelta, not int"):
        TryLater(5)


def test_due_tasks_are_done_and_told(run, agent, room):
    agent_task("summarise")(lambda task: {"room": str(task.room_id), "attempt": task.attempts})
    task = Task.objects.schedule("summarise", agent=agent, room=room)
    later = Task.objects.schedule("summarise", agent=agent, at=HOUR)
    said = run(name="web-1")
    assert f"summarise {task.pk}: done, attempt 1," in said
    assert "web-1 does summarise, 1 at once.\n" in said
    assert "1 done, 0 to be tried again, 0 failed, 0 lost, 0 given back, in " in said
    assert after(task).metadata == {"result": {"room": str(room.pk), "attempt": 1}}
    assert (task.status, task.worker) == ("done", "web-1")
    assert after(later).status == "pending"


def test_a_handler_may_be_asynchronous(run, agent):
    @agent_task("count", atomic=True)
    async def count(task):
        return await Agent.objects.acount()

    task = Task.objects.schedule("count", agent=agent)
    run()
    assert after(task).metadata == {"result": 1}


def raising(error):
    def handler(task):
        raise error

    return handler


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ValueError("overloaded"), "pending", "to be tried again, attempt 1"),
        (TryLater(HOUR), "pending", "TryLater: To be tried again after 1:00:00."),
        (GiveUp("no such room"), "failed", "GiveUp: no such room"),
        (SystemExit(3), "pending", "SystemExit: 3"),
    ],
)
def test_what_a_handler_raises_ends_its_attempt(run, agent, error, status, said):
    agent_task("a")(raising(error))
    task = Task.objects.schedule("a", agent=agent)
    assert said in run()
    assert after(task).status == status
    assert type(error).__name__ in task.last_error
    if isinstance(error, TryLater):
        assert task.run_at - task.started_at > HOUR - timedelta(minutes=1)


def test_draining_fails_where_a_task_did(run, agent):
    agent_task("a")(raising(GiveUp("no such room")))
    Task.objects.schedule("a", agent=agent)
    assert "exit 1: Some tasks failed" in run()


@pytest.mark.parametrize("result", [object(), float("nan"), "nul \x00", ["half \ud800"]])
@pytest.mark.parametrize("atomic", [False, True])
def test_a_result_that_no_column_holds_fails_and_is_not_tried_again(run, agent, result, atomic):
    agent_task("a", atomic=atomic)(lambda _: result)
    task = Task.objects.schedule("a", agent=agent)
    run()
    assert after(task).status == "failed"
    assert "that is no JSON for PostgreSQL" in task.last_error


def test_the_writes_of_an_atomic_task_go_with_its_failure(run, agent):
    @agent_task("a", atomic=True)
    def write(task):
        Entity.objects.create(agent_id=task.agent_id, names=["half"])
        raise ValueError

    Task.objects.schedule("a", agent=agent)
    run()
    assert not Entity.objects.exists()


def test_the_writes_of_an_atomic_task_go_with_its_lease(run, agent):
    @agent_task("a", atomic=True)
    def slow(task):
        Entity.objects.create(agent_id=task.agent_id, names=[f"attempt {task.attempts}"])
        if task.attempts == 1:
            apart = threading.Thread(target=elsewhere, args=[task.pk])
            apart.start()
            apart.join()

    def elsewhere(pk):
        Task.objects.filter(pk=pk).update(locked_until=Now() - HOUR)
        (taken,) = Task.objects.claim()
        Task.objects.complete(taken)
        connection.close()

    task = Task.objects.schedule("a", agent=agent)
    assert "lost, attempt 1" in run()
    assert not Entity.objects.exists()
    assert (after(task).status, task.attempts) == ("done", 2)


def test_a_handler_may_end_its_task_itself(run, agent):
    agent_task("a")(lambda task: Task.objects.complete(task, "early"))
    task = Task.objects.schedule("a", agent=agent)
    assert "done, attempt 1" in run()
    assert after(task).metadata == {"result": "early"}


def test_a_task_cancelled_at_work_is_lost(run, agent):
    agent_task("a")(lambda task: Task.objects.cancel(task.pk) and None)
    task = Task.objects.schedule("a", agent=agent)
    assert "lost, attempt 1" in run()
    assert after(task).status == "cancelled"


def test_a_long_task_keeps_its_lease(run, agent):
    seen = []

    @agent_task("long")
    def long(task):
        time.sleep(1)
        seen.append(Task.objects.lapsed().count())

    Task.objects.schedule("long", agent=agent)
    assert "done, attempt 1" in run(lease=0.3)
    assert seen == [0]


def test_as_many_run_at_once_as_asked_for(run, agent):
    meeting = threading.Barrier(4)
    agent_task("meet")(lambda _: meeting.wait(5) * 0)
    for _ in range(8):
        Task.objects.schedule("meet", agent=agent)
    assert "8 done" in run(concurrency=4)


def test_only_tasks_of_the_agents_and_tags_asked_for(run, agent):
    agent_task("a")(nothing)
    other = Agent.objects.create(name="Bob")
    Task.objects.schedule("a", agent=agent, tags=["fast"])
    Task.objects.schedule("a", agent=other, tags=["fast"])
    Task.objects.schedule("a", agent=other)
    assert "1 done" in run(agent=["Bob"], tag=["fast"])
    assert "1 done" in run(agent=[str(agent.pk)])
    assert Task.objects.get(status="pending").tags == []


def test_tasks_of_an_agent_that_is_not_enabled_wait(run, agent):
    agent_task("a")(nothing)
    Task.objects.schedule("a", agent=agent)
    Agent.objects.update(enabled=False)
    assert "0 done" in run()
    Agent.objects.update(enabled=True)
    assert "1 done" in run()


def test_unknown_names_are_left_alone_and_told_once(run, agent):
    agent_task("a")(nothing)
    for _ in range(3):
        Task.objects.schedule("from another app", agent=agent)
    assert run(lease=0.01).count("Tasks named 'from another app' are due, and nothing here does them") == 1
    assert Task.objects.filter(attempts=0, status="pending").count() == 3


def test_a_task_that_kills_workers_is_ended_and_told(run, agent):
    agent_task("a")(nothing)
    task = Task.objects.schedule("a", agent=agent, max_attempts=1)
    Task.objects.claim(lease=timedelta(0))
    assert "failed, attempt 1, 0.00 s: LeaseLost: The lease of attempt 1 ran out" in run()
    assert after(task).status == "failed"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"agent": ["Nobody"]}, "'Nobody' is no agent."),
        ({"agent": ["Ada"]}, "'Ada' is the name of several agents: give the id."),
        ({"database": "elsewhere"}, "DATABASES has no 'elsewhere'."),
    ],
)
def test_what_is_not_there_is_refused(run, options, said):
    agent_task("a")(nothing)
    Agent.objects.bulk_create([Agent(name="Ada"), Agent(name="Ada")])
    assert f"exit 1: {said}" in run(**options)


@pytest.mark.parametrize("seconds", ["1e300", "inf", "nan", "-1", "soon"])
def test_times_are_numbers_that_a_clock_can_reach(seconds):
    with pytest.raises(CommandError, match=f"--lease: {seconds} is not a number of seconds, a century at most"):
        call_command("run_agent_tasks", f"--lease={seconds}")


def test_a_worker_with_nothing_to_do_says_what_is_missing(run, monkeypatch):
    monkeypatch.setattr("core_tables.management.commands.run_agent_tasks.discover", dict)
    assert "exit 1: Nothing here does tasks: put a function with @agent_task into agent_tasks.py of an app." in run()


def test_a_broken_connection_is_not_left_to_the_next_task(run, agent):
    @agent_task("a")
    def rude(task):
        if task.metadata["rude"]:
            connection.connection.close()
            Log.objects.count()

    Task.objects.schedule("a", agent=agent, metadata={"rude": True}, max_attempts=1, at=-HOUR)
    Task.objects.schedule("a", agent=agent, metadata={"rude": False})
    assert "1 done, 0 to be tried again, 1 failed" in run()
