from datetime import date, timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from core_tables.exceptions import InvalidContent, LeaseLost, WrongStatus
from core_tables.models import Agent, Task
from core_tables.querysets.task_sql import CAP, backoff, described

pytestmark = pytest.mark.usefixtures("store")

HOUR = timedelta(hours=1)


def test_a_task_is_due_at_once_or_when_it_says(agent):
    now = Task.objects.schedule("summarise", agent=agent)
    Task.objects.schedule("summarise", agent=agent.pk, at=HOUR)
    Task.objects.schedule("summarise", agent=agent, at=timezone.now() + HOUR)
    assert list(Task.objects.due()) == [now]
    assert Task.objects.pending().count() == 3


def test_the_longest_waiting_comes_first(agent):
    second = Task.objects.schedule("b", agent=agent, at=-HOUR)
    first = Task.objects.schedule("a", agent=agent, at=-2 * HOUR)
    assert list(Task.objects.due()) == [first, second]


@pytest.mark.parametrize("wrong", [{"tags": ["queue"]}, {"every": timedelta(0)}, {"max_attempts": 0}])
def test_what_could_not_be_run_rightly_is_refused(agent, wrong):
    with pytest.raises(ValueError, match="summarise"):
        Task.objects.schedule("summarise", agent=agent, **wrong)


def test_tasks_of_other_programs_are_found_but_not_touched(agent, room):
    theirs = Task.objects.create(name="HGE", agent=agent, room_id=room.pk, tags=["queue", "repeat"])
    assert list(Task.objects.tagged("repeat", "queue").in_room(room).named("HGE")) == [theirs]
    ours = Task.objects
    assert not any([ours.pending(), ours.due(), ours.overdue(), ours.unfinished(), ours.claim(5)])
    with pytest.raises(WrongStatus, match="belongs to another program"):
        Task.objects.cancel(theirs)
    with pytest.raises(WrongStatus, match="belongs to another program"):
        Task.objects.retry(theirs)
    assert Task.objects.retry_all() == Task.objects.cancel_all() == 0


def test_tags_are_all_wanted(agent):
    both = Task.objects.schedule("a", agent=agent, tags=["daily", "report"])
    Task.objects.schedule("a", agent=agent, tags=["daily"])
    assert list(Task.objects.tagged("report", "daily")) == [both]
    assert Task.objects.tagged().count() == 2


def test_a_name_with_a_star_stands_for_all_that_begin_so(agent):
    for name in ("mail:send", "mail:read", "mail", "mail_x", "other"):
        Task.objects.schedule(name, agent=agent)
    found = Task.objects.named("mail:*", "other").values_list("name", flat=True)
    assert sorted(found) == ["mail:read", "mail:send", "other"]
    assert not Task.objects.named()


def test_a_task_is_scheduled_once_for_each_room(agent, room):
    first, made = Task.objects.get_or_schedule("summarise", agent=agent, room=room, every=HOUR)
    assert made
    assert Task.objects.get_or_schedule("summarise", agent=agent, room=room.pk, every=2 * HOUR) == (first, False)
    assert Task.objects.get_or_schedule("summarise", agent=agent)[1]
    assert Task.objects.get_or_schedule("summarise", agent=Agent.objects.create(name="Bob"))[1]
    Task.objects.cancel(first)
    assert Task.objects.get_or_schedule("summarise", agent=agent, room=room, every=HOUR)[1]


def test_cancelling_takes_the_task_from_its_worker(agent):
    Task.objects.schedule("summarise", agent=agent)
    (taken,) = Task.objects.claim()
    assert Task.objects.cancel(taken).status == "cancelled"
    with pytest.raises(LeaseLost, match="summarise"):
        Task.objects.complete(taken)
    with pytest.raises(WrongStatus, match="it is cancelled"):
        Task.objects.cancel(taken)


def test_what_failed_can_be_run_again_with_all_its_attempts(agent):
    Task.objects.schedule("summarise", agent=agent, max_attempts=1)
    (taken,) = Task.objects.claim()
    Task.objects.fail(taken, "no such model")
    assert list(Task.objects.failed()) == [taken]
    again = Task.objects.retry(taken)
    assert (again.status, again.attempts, again.finished_at, again.last_error) == ("pending", 0, None, "no such model")
    assert Task.objects.claim()[0].pk == taken.pk


def test_what_a_worker_has_is_not_run_again(agent):
    Task.objects.schedule("summarise", agent=agent)
    (taken,) = Task.objects.claim()
    with pytest.raises(WrongStatus, match="it is running"):
        Task.objects.retry(taken)
    taken.delete()
    with pytest.raises(WrongStatus, match="there is no such task"):
        Task.objects.retry(taken.pk or "6e0a3a3e-6d4f-4d43-a50c-6e4b1c9f5d0a")


def test_many_are_run_again_or_cancelled_at_once(agent, django_assert_num_queries):
    for name in "ab":
        Task.objects.schedule(name, agent=agent, max_attempts=1)
    for taken in Task.objects.claim(2):
        Task.objects.fail(taken, "down")
    with django_assert_num_queries(2):
        assert Task.objects.failed().retry_all() == 2
        assert Task.objects.named("a").cancel_all() == 1
    assert sorted(Task.objects.values_list("name", "status")) == [("a", "cancelled"), ("b", "pending")]


def test_overdue_is_what_nobody_has_been_at_for_long(agent):
    late = Task.objects.schedule("late", agent=agent, at=-HOUR)
    left = Task.objects.schedule("left", agent=agent)
    Task.objects.claim(names=["left"])
    Task.objects.filter(pk=left.pk).update(locked_until=Now() - HOUR)
    Task.objects.schedule("just now", agent=agent)
    assert set(Task.objects.overdue()) == {late, left}
    assert set(Task.objects.overdue(by=2 * HOUR)) == set()


def test_waits_grow_up_to_an_hour_and_differ_by_chance():
    shortest = [backoff(attempts, chance=lambda: 0.0).total_seconds() for attempts in (0, 1, 2, 3, 4)]
    assert shortest == [7.5, 7.5, 15, 30, 60]
    assert backoff(1, chance=lambda: 0.999) < timedelta(seconds=15)
    assert backoff(10**6, chance=lambda: 1.0) == CAP


def test_an_error_is_told_by_its_end_and_fits_a_column():
    assert described("nul \x00, half \ud800") == "nul \ufffd, half ?"
    assert described("x" * 20_000 + "the end").endswith("the end")


def deep(left):
    if left:
        deep(left - 1)
    else:
        raise ValueError("the model said: " + "x" * 20_000 + "the end")


def test_an_error_keeps_its_kind_its_place_and_both_ends_of_its_message():
    with pytest.raises(ValueError, match="the model said") as caught:
        deep(200)
    told = described(caught.value)
    assert len(told) < 10_000
    assert 'raise ValueError("the model said' in told
    assert "\nValueError: the model said: xxx" in told
    assert told.endswith("xxxthe end")


FAR = timedelta(days=365 * 8500)


@pytest.mark.parametrize(
    "times", [{"every": timedelta.max}, {"at": timedelta.max}, {"at": timedelta.min}, {"at": FAR}, {"every": FAR}]
)
def test_what_leads_to_where_no_datetime_does_is_refused(agent, times):
    with pytest.raises(ValueError, match=r"'summarise': `at` and one `every` after it .* 2 to 9998"):
        Task.objects.schedule("summarise", agent=agent, **times)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"name": ""}, InvalidContent),
        ({"name": "mail:*"}, InvalidContent),
        ({"name": "a\0"}, InvalidContent),
        ({"tags": ["\ud800"]}, InvalidContent),
        ({"metadata": {"a": "\0"}}, InvalidContent),
        ({"metadata": [1]}, InvalidContent),
        ({"description": "a\0"}, InvalidContent),
        ({"tags": [1]}, TypeError),
        ({"every": 3600}, TypeError),
        ({"at": date(2030, 1, 1)}, TypeError),
        ({"max_attempts": 10**10}, ValueError),
        ({"max_attempts": "5"}, TypeError),
    ],
)
def test_what_no_row_holds_is_told_before_it_is_sent(agent, wrong, error):
    with pytest.raises(error):
        Task.objects.schedule(**{"name": "summarise", "agent": agent} | wrong)
    assert not Task.objects.exists()


def test_a_lone_text_is_one_tag_and_one_name(agent):
    task = Task.objects.schedule("fast", agent=agent, tags="reminder")
    assert task.tags == ["reminder"]
    assert Task.objects.claim(names="fast", tags="reminder") == [task]


def test_the_asynchronous_twins_do_the_same(agent):
    from asgiref.sync import async_to_sync

    async def story():
        await Task.objects.aschedule("summarise", agent=agent)
        (taken,) = await Task.objects.aclaim()
        await Task.objects.acomplete(taken, {"words": 3})
        return await Task.objects.aget(pk=taken.pk)

    assert async_to_sync(story)().metadata == {"result": {"words": 3}}
