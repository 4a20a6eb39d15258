"""Django's own tasks, kept in our table and run by our worker. From Django 6.0 on."""

from datetime import timedelta
from importlib import import_module
from io import StringIO

import pytest
from django import VERSION
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from core_tables.models import Agent, Task

if VERSION < (6, 0):

    def test_the_backend_says_that_it_needs_a_newer_django():
        with pytest.raises(ImproperlyConfigured, match=r"from 6\.0 on.*@agent_task"):
            import_module("core_tables.task_backend")

else:
    from django.core.checks import run_checks
    from django.tasks import TaskResultStatus, task, task_backends
    from django.tasks.exceptions import InvalidTask, TaskResultDoesNotExist, TaskResultMismatch
    from django.tasks.signals import task_enqueued, task_finished, task_started

    BACKEND = "core_tables.task_backend.AgentTaskBackend"
    pytestmark = pytest.mark.usefixtures("committed_store", "backend")

    @task
    def add(first, second=0):
        return first + second

    @task
    async def aadd(first, second):
        return [first + second]

    @task
    def fail(times):
        raise ValueError(f"failed {times} times")

    @task(takes_context=True)
    def tell_attempt(context):
        if context.attempt < 2:
            raise LookupError("once more")
        return context.attempt

    @pytest.fixture
    def backend(settings, agent):
        def configure(**options):
            settings.TASKS = {
                "default": {"BACKEND": BACKEND, "QUEUES": ["default", "emails"], "OPTIONS": {"AGENT": "Ada"} | options}
            }

        configure()
        return configure

    @pytest.fixture
    def sent():
        seen = []

        def receive(name):
            def receiver(sender, task_result, **_):
                seen.append((name, sender.__name__, task_result.status.value))

            return receiver

        receivers = [(signal, receive(name)) for name, signal in SIGNALS.items()]
        for signal, receiver in receivers:
            signal.connect(receiver)
        yield seen
        for signal, receiver in receivers:
            signal.disconnect(receiver)

    SIGNALS = {"enqueued": task_enqueued, "started": task_started, "finished": task_finished}

    def run(**options):
        said = StringIO()
        call_command("run_agent_tasks", drain=True, poll=0.05, stdout=said, stderr=said, verbosity=2, **options)
        return said.getvalue()

    @pytest.mark.parametrize(("work", "value"), [(add, 5), (aadd, [5])])
    def test_a_task_is_run_by_the_worker(sent, agent, work, value):
        result = work.enqueue(2, second=3)
        assert (result.status, result.attempts, result.args) == (TaskResultStatus.READY, 0, [2])
        assert agent.tasks.get().name == f"django.tasks:{__name__}.{work.name}"
        assert "done, attempt 1" in run(name="web-1")
        result.refresh()
        assert (result.status, result.return_value) == (TaskResultStatus.SUCCESSFUL, value)
        assert result.enqueued_at < result.started_at == result.last_attempted_at < result.finished_at
        assert (result.worker_ids, result.errors) == (["web-1"], [])
        names = [("enqueued", "READY"), ("started", "RUNNING"), ("finished", "SUCCESSFUL")]
        assert sent == [(name, "AgentTaskBackend", status) for name, status in names]

    def test_what_raised_has_failed_and_tells_why(sent):
        result = fail.enqueue(1)
        with pytest.raises(Exception, match="Some tasks failed"):
            run()
        result = fail.get_result(result.id)
        assert (result.status, result.is_finished) == (TaskResultStatus.FAILED, True)
        (error,) = result.errors
        assert error.exception_class is ValueError
        assert "failed 1 times" in error.traceback
        assert sent[-1] == ("finished", "AgentTaskBackend", "FAILED")

    def test_it_is_tried_again_where_the_options_allow_it(backend, sent):
        backend(MAX_ATTEMPTS=3)
        result = tell_attempt.enqueue()
        run(name="web-1")
        result.refresh()
        assert result.status == TaskResultStatus.READY
        first = result.started_at
        Task.objects.retry_all()
        Task.objects.update(attempts=1)
        run(name="web-2")
        result.refresh()
        assert (result.return_value, result.worker_ids) == (2, ["web-1", "web-2"])
        assert [error.exception_class for error in result.errors] == [LookupError]
        assert first == result.started_at < result.last_attempted_at
        assert [name for name, *_ in sent] == ["enqueued", "started", "started", "finished"]

    def test_one_whose_worker_was_killed_has_failed(sent):
        from core_tables.exceptions import LeaseLost

        result = add.enqueue(1)
        Task.objects.claim(lease=timedelta(0), worker="web-1")
        with pytest.raises(Exception, match="Some tasks failed"):
            run()
        result.refresh()
        assert (result.status, result.worker_ids) == (TaskResultStatus.FAILED, ["web-1"])
        assert result.errors[0].exception_class is LeaseLost
        assert sent[-1][0] == "finished"

    def test_it_waits_until_it_may_run():
        when = timezone.now() + timedelta(hours=1)
        result = add.using(run_after=when).enqueue(1)
        run()
        result = add.get_result(result.id)
        assert (result.status, result.task.run_after) == (TaskResultStatus.READY, when)

    def test_a_queue_is_a_tag():
        mail, other = add.using(queue_name="emails").enqueue(1), add.enqueue(2)
        run(tag=["queue:emails"])
        mail.refresh()
        other.refresh()
        assert (mail.is_finished, other.is_finished) == (True, False)

    def test_it_goes_with_the_transaction_of_whoever_enqueues():
        with transaction.atomic():
            add.enqueue(1)
            transaction.set_rollback(True)
        assert not Task.objects.exists()

    def test_what_it_does_not_have_it_says():
        result = add.enqueue(1)
        for wrong in ("no id", "6e0a3a3e-6d4f-4d43-a50c-6e4b1c9f5d0a"):
            with pytest.raises(TaskResultDoesNotExist):
                add.get_result(wrong)
        with pytest.raises(TaskResultMismatch):
            fail.get_result(result.id)

    def test_what_no_row_can_hold_is_refused():
        with pytest.raises(TypeError):
            add.enqueue(object())
        with pytest.raises(InvalidTask, match="priority"):
            add.using(priority=5).enqueue(1)
        assert not Task.objects.exists()

    def test_the_asynchronous_forms_do_the_same():
        from asgiref.sync import async_to_sync

        async def story():
            result = await add.aenqueue(1)
            return await add.aget_result(result.id)

        assert async_to_sync(story)().args == [1]

    def test_the_agent_is_looked_for_when_it_is_needed(backend):
        backend(AGENT="Bob")
        with pytest.raises(ImproperlyConfigured, match="AGENT is 'Bob', but there is no such agent"):
            add.enqueue(1)
        bob = Agent.objects.create(name="Bob")
        assert add.enqueue(1).id == str(bob.tasks.get().pk)
        Agent.objects.create(name="Bob")
        with pytest.raises(ImproperlyConfigured, match="several agents have that name"):
            add.enqueue(1)
        backend(AGENT=bob.pk)
        add.enqueue(2)
        assert bob.tasks.count() == 2

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"AGENT": ""}, "TASKS['default'][\"OPTIONS\"] has no AGENT"),
            ({"AGNET": "Ada"}, "does not know AGNET"),
            ({"MAX_ATTEMPTS": 0}, "has MAX_ATTEMPTS = 0"),
            ({"DATABASE": "elsewhere"}, "has DATABASE = 'elsewhere'"),
        ],
    )
    def test_wrong_options_are_found_by_check(backend, options, said):
        backend(**options)
        (found,) = (message for message in run_checks() if message.id == "core_tables.E101")
        assert said in found.msg

    def test_right_options_pass_the_check():
        assert list(task_backends["default"].check()) == []
