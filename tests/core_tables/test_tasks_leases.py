from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Count
from django.db.models.functions import Now
from django.utils import timezone

from core_tables.exceptions import LeaseLost
from core_tables.models import Agent, Task

pytestmark = pytest.mark.usefixtures("store")

HOUR = timedelta(hours=1)


@pytest.fixture
def schedule(agent):
    def schedule(name="summarise", **options):
        return Task.objects.schedule(name, agent=agent, **options)

    return schedule


def claimed(**options):
    (task,) = Task.objects.claim(**options)
    return task


def lapse(task):
    """Let the lease of a task run out."""
    Task.objects.filter(pk=task.pk).update(locked_until=Now() - timedelta(seconds=1))


def test_a_claim_is_one_statement_and_says_all_about_the_task(schedule, django_assert_num_queries):
    task = schedule()
    with django_assert_num_queries(1):
        (taken,) = Task.objects.claim(lease=timedelta(minutes=1), worker="web-1")
    assert taken == task
    assert (taken.status, taken.attempts, taken.worker) == ("running", 1, "web-1")
    assert taken.locked_until - taken.started_at == timedelta(minutes=1)
    stored = Task.objects.get(pk=task.pk)
    assert all(getattr(taken, f.attname) == getattr(stored, f.attname) for f in Task._meta.concrete_fields)


def test_nobody_claims_it_twice(schedule):
    schedule()
    claimed()
    assert Task.objects.claim() == []


def test_only_as_many_as_asked_for_the_longest_waiting_first(schedule):
    names = ["c", "b", "a"]
    for age, name in enumerate(names):
        schedule(name, at=-age * HOUR)
    assert [task.name for task in Task.objects.claim(2)] == ["a", "b"]
    assert [task.name for task in Task.objects.claim(9)] == ["c"]
    assert Task.objects.claim(0) == []


def test_what_is_over_is_not_claimed_beside_what_is_due(schedule):
    """A done row that is in the way of the update must not be taken with the others."""
    schedule()
    Task.objects.complete(claimed())
    due = schedule()
    assert Task.objects.claim(9) == [due]
    assert Task.objects.claim(9) == []


def test_a_claim_can_be_narrowed(schedule, agent):
    other = Agent.objects.create(name="Bob")
    theirs = Task.objects.schedule("mail:send", agent=other, tags=["a", "b"])
    schedule()
    assert Task.objects.claim(agents=[]) == Task.objects.claim(names=[]) == []
    assert Task.objects.claim(names=["mail:*"], agents=[agent]) == []
    assert Task.objects.claim(tags=["b", "c"]) == []
    assert Task.objects.claim(9, names=["mail:*"], agents=[other.pk], tags=["b"]) == [theirs]


def test_a_claim_goes_on_from_any_filter(schedule, agent, room):
    schedule()
    here = schedule(room=room)
    assert Task.objects.filter(agent__name="Ada").in_room(room).claim(9) == [here]
    assert agent.tasks.claim(9)[0].room_id is None


def test_what_a_worker_left_is_taken_up_and_says_so(schedule):
    schedule()
    first = claimed(worker="web-1")
    lapse(first)
    assert list(Task.objects.lapsed()) == [first]
    second = claimed()
    assert second.attempts == 2
    assert "attempt 1 ran out: its worker (web-1)" in second.last_error
    assert second.lease != first.lease


def test_what_was_left_counts_toward_the_limit_and_comes_first(schedule):
    schedule()
    left = claimed()
    lapse(left)
    schedule("new", at=-HOUR)
    assert Task.objects.claim(1) == [left]


@pytest.mark.parametrize("ending", ["complete", "fail", "release", "extend"])
def test_whoever_lost_the_lease_ends_nothing(schedule, ending):
    schedule()
    first = claimed()
    lapse(first)
    second = claimed()
    with pytest.raises(LeaseLost, match=r"summarise.*attempt 1"):
        getattr(Task.objects, ending)(first, *["too late"] * (ending == "fail"))
    Task.objects.complete(second)
    assert Task.objects.get().status == "done"


def test_a_lease_that_ran_out_with_nobody_after_it_still_counts(schedule):
    schedule()
    task = claimed()
    lapse(task)
    Task.objects.complete(task)
    assert task.status == "done"


def test_a_worker_that_slept_through_a_slot_does_not_end_the_next(schedule):
    schedule(every=HOUR)
    first = claimed()
    lapse(first)
    Task.objects.complete(claimed())
    Task.objects.update(run_at=Now())
    assert claimed().attempts == first.attempts == 1
    with pytest.raises(LeaseLost):
        Task.objects.complete(first)


def test_a_task_nobody_claimed_cannot_be_ended(schedule):
    with pytest.raises(LeaseLost):
        Task.objects.complete(schedule())


def test_what_is_done_keeps_its_result_beside_what_it_knew(schedule, django_assert_num_queries):
    schedule(metadata={"words": 100})
    task = claimed()
    with django_assert_num_queries(1):
        Task.objects.complete(task, {"text": "In short: tea."})
    assert task.metadata == {"words": 100, "result": {"text": "In short: tea."}}
    assert (task.status, task.locked_until) == ("done", None)
    assert task.finished_at


def test_a_result_finds_room_where_another_program_left_none(schedule):
    Task.objects.filter(pk=schedule().pk).update(metadata=None)
    task = claimed()
    Task.objects.complete(task, 1)
    assert task.metadata == {"result": 1}


def test_what_failed_is_due_again_later(schedule):
    schedule()
    task = claimed()
    Task.objects.fail(task, ValueError("the model is overloaded"), note={"model": "large"})
    assert (task.status, task.attempts, task.metadata) == ("pending", 1, {"model": "large"})
    assert task.last_error == "ValueError: the model is overloaded"
    assert timedelta(seconds=7) < task.run_at - timezone.now() < timedelta(seconds=16)
    assert Task.objects.claim() == []


def test_the_wait_may_be_given(schedule):
    schedule()
    task = claimed()
    Task.objects.fail(task, "rate limit", after=timedelta(seconds=-1))
    assert claimed().attempts == 2


@pytest.mark.parametrize(("attempts", "retry"), [(1, True), (5, False)])
def test_what_has_no_attempts_left_or_no_use_for_them_has_failed(schedule, attempts, retry):
    schedule(max_attempts=attempts)
    task = claimed()
    Task.objects.fail(task, "no such model", retry=retry)
    assert (task.status, task.last_error) == ("failed", "no such model")
    assert task.finished_at


def test_what_kills_its_workers_is_not_tried_for_ever(schedule):
    schedule(max_attempts=2)
    for _ in range(2):
        lapse(claimed(worker="web-1"))
    assert Task.objects.claim() == []
    (ended,) = Task.objects.expire()
    assert (ended.status, ended.attempts) == ("failed", 2)
    assert "attempt 2 ran out" in ended.last_error
    assert Task.objects.expire() == []


def test_a_longer_lease_keeps_the_task(schedule):
    schedule()
    task = claimed(lease=timedelta(seconds=1))
    Task.objects.extend(task, HOUR)
    assert task.locked_until - timezone.now() > timedelta(minutes=59)


def test_what_is_given_back_can_be_had_at_once(schedule):
    schedule()
    task = claimed()
    Task.objects.release(task)
    assert claimed().attempts == 2


def test_a_task_that_repeats_keeps_to_its_slots_and_leaves_out_missed_ones(schedule):
    first = timezone.now() - timedelta(hours=5, minutes=20)
    schedule(at=first, every=HOUR)
    task = claimed()
    Task.objects.complete(task, "fine")
    assert task.run_at == first + timedelta(hours=6)
    assert (task.status, task.attempts, task.metadata) == ("pending", 0, {"result": "fine"})


def test_retries_move_no_slot(schedule):
    first = timezone.now() - timedelta(minutes=20)
    schedule(at=first, every=HOUR)
    task = claimed()
    Task.objects.fail(task, "down", after=timedelta(0))
    assert (task.status, task.attempts) == ("pending", 1)
    task = claimed()
    assert task.last_error == "down"
    Task.objects.complete(task)
    assert (task.run_at, task.last_error) == (first + HOUR, None)


def test_a_task_that_repeats_never_ends_by_failing(schedule):
    first = timezone.now() - timedelta(minutes=20)
    schedule(at=first, every=HOUR, max_attempts=1)
    task = claimed()
    Task.objects.fail(task, "down")
    assert (task.status, task.attempts, task.run_at, task.last_error) == ("pending", 0, first + HOUR, "down")


def test_one_that_an_operator_ran_early_goes_on_with_its_first_slot(schedule):
    first = timezone.now() + timedelta(days=3)
    Task.objects.retry(schedule(at=first, every=HOUR))
    task = claimed()
    Task.objects.complete(task)
    assert task.run_at == first


ODD = {
    "a slot past all time": "every = interval '178000000 years'",
    "a slot past Python's": "every = interval '8500 years'",
    "no seconds in it": "every = interval '12 months -365 days -6 hours' + interval '0 s'",
    "less than no seconds": "every = interval '12 months -359 days' - interval '7 days'",
    "from the first day": "every = interval '1 us', first_at = '-infinity'",
    "from the last day": "every = interval '1 hour', first_at = 'infinity'",
    "due for ever": "run_at = '-infinity', first_at = NULL",
    "started very often": "attempts = 2147483647, max_attempts = 2147483647",
    "written in no year of ours": "created_at = '275000-01-01'",
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
@pytest.mark.parametrize("ending", ["complete", "fail", "expire"])
def test_whatever_other_programs_write_a_row_is_claimed_and_ended(schedule, change, ending):
    pk = schedule(every=HOUR).pk
    schedule("another")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE tasks SET {change} WHERE id = %s", [pk])
    odd = next(task for task in Task.objects.claim(2) if task.pk == pk)
    if ending == "expire":
        Task.objects.filter(pk=pk).update(max_attempts=1)
        lapse(odd)
        assert [task.pk for task in Task.objects.expire()] == [pk]
    else:
        getattr(Task.objects, ending)(odd, "over")
    assert Task.objects.only("run_at").get(pk=pk).run_at > timezone.now() - HOUR


@pytest.mark.parametrize("metadata", [[1], "text", 5])
def test_a_result_leaves_what_was_there_in_place_of_an_object(schedule, metadata):
    Task.objects.filter(pk=schedule().pk).update(metadata=metadata)
    task = claimed()
    Task.objects.complete(task, 1)
    assert task.metadata == {"metadata": metadata, "result": 1}


def test_a_very_long_wait_is_cut(schedule):
    schedule()
    task = claimed()
    Task.objects.fail(task, "rate limit", after=timedelta(days=10**8))
    assert task.run_at - timezone.now() < timedelta(days=36_526)


@pytest.mark.parametrize(
    ("wrong", "error"), [({"limit": -1}, ValueError), ({"lease": 5}, TypeError), ({"names": [1]}, TypeError)]
)
def test_a_claim_that_makes_no_sense_is_refused(store, wrong, error):
    with pytest.raises(error):
        Task.objects.claim(**wrong)


def test_a_claim_goes_on_from_rows_that_are_grouped_or_distinct(schedule, room):
    first = schedule(tags=["a"])
    assert Task.objects.filter(agent__rooms=room).distinct().claim(9) == [first]
    second = schedule()
    assert Task.objects.annotate(rooms=Count("agent__rooms")).filter(rooms=1).claim(9) == [second]


def test_one_that_a_program_made_repeats_from_when_it_was_due(agent):
    due = timezone.now() - timedelta(minutes=20)
    Task.objects.create(name="a", agent=agent, run_at=due, every=HOUR)
    task = claimed()
    Task.objects.complete(task)
    assert task.run_at == due + HOUR


def test_what_no_longer_repeats_is_done(schedule):
    schedule(every=HOUR)
    task = claimed()
    Task.objects.filter(pk=task.pk).update(every=None)
    Task.objects.complete(task)
    assert task.status == "done"


ROWS = """
INSERT INTO tasks (name, agent_id, status, run_at, tags, locked_until)
SELECT 'n' || g %% 5, %s, (ARRAY['pending', 'done', 'done', 'running'])[1 + g %% 4],
       now() - g * interval '1 second', ARRAY['t' || g %% 50], now() + g * interval '1 second'
  FROM generate_series(1, 20000) g
"""


@pytest.mark.parametrize("narrowed", [{}, {"names": ["n1", "n*"]}, {"tags": ["t1"]}])
def test_among_many_a_claim_goes_by_the_indexes(agent, narrowed, django_assert_num_queries):
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [agent.pk])
        cursor.execute("ANALYZE tasks")
        with django_assert_num_queries(1) as asked:
            Task.objects.filter(agent__enabled=True).claim(4, **narrowed)  # as the worker does
        cursor.execute("EXPLAIN " + asked[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "tasks_due_idx" in plan
    assert "tasks_lock_idx" in plan
    assert "Seq Scan on tasks" not in plan
    assert "Sort" not in plan  # it would read all that is due
