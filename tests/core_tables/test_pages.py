"""Pages that a key leads to, over whatever rows there are."""

import datetime

import pytest
from django.db import connection
from django.db.models import Count, Window
from django.db.models.functions import RowNumber
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core_tables.models import Agent
from core_tables.querysets.base import Cursor, lockable

pytestmark = pytest.mark.usefixtures("store")
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def agents(seconds):
    Agent.objects.all()._raw_delete(using="default")
    rows = [Agent(name="a", created_at=START + datetime.timedelta(seconds=second)) for second in seconds]
    return [row.pk for row in sorted(Agent.objects.bulk_create(rows), key=lambda row: (row.created_at, row.pk))]


def walk(step, follow, size):
    page = Agent.objects.page(size=size)
    pages = [page]
    while place := getattr(page, follow):
        page = Agent.objects.page(**{step: place}, size=size)
        pages.append(page)
    return pages


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 4), max_size=12), st.integers(1, 6))
def test_every_row_is_on_one_page_in_both_directions(seconds, size):
    everything = agents(seconds)
    back = walk("before", "older", size)
    assert [row.pk for page in reversed(back) for row in page] == everything
    page, forth = back[-1], [back[-1]]
    while page.newer:
        page = Agent.objects.page(after=page.newer, size=size)
        forth.append(page)
    assert [row.pk for each in forth for row in each] == everything


def test_a_place_stays_when_its_row_is_gone():
    keys = agents(range(6))
    place = Agent.objects.page(size=3).older
    Agent.objects.filter(pk=place.id).delete()
    assert [row.pk for row in Agent.objects.page(before=place, size=3)] == keys[:3]


def test_rows_that_come_in_between_move_nothing():
    keys = agents(range(4))
    page = Agent.objects.page(size=2)
    Agent.objects.create(name="new", created_at=START + datetime.timedelta(seconds=9))
    assert [row.pk for row in Agent.objects.page(before=page.older, size=2)] == keys[:2]


def test_one_query_a_page_and_no_count():
    agents(range(5))
    with CaptureQueriesContext(connection) as queries:
        page = Agent.objects.page(size=2)
    assert len(queries) == 1
    assert "COUNT" not in queries[0]["sql"]
    assert (len(page), page[0].created_at, page.newer) == (2, START + datetime.timedelta(seconds=3), None)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"size": 0}, ValueError, "page is 0: give a whole number of at least 1"),
        ({"size": "5"}, TypeError, "page is '5': give a whole number"),
        ({"before": Cursor(START, None), "after": Cursor(START, None)}, ValueError, "not both"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, error, words):
    with pytest.raises(error, match=words):
        Agent.objects.page(**wrong)


@pytest.mark.usefixtures("room", "entity")
@pytest.mark.parametrize(
    "rows",
    [
        Agent.objects.distinct,
        lambda: Agent.objects.annotate(rooms_=Count("rooms")),
        lambda: Agent.objects.annotate(place=Window(RowNumber(), order_by="pk")),
        lambda: Agent.objects.filter(rooms__name="lab"),
    ],
    ids=["distinct", "grouped", "windows", "joined"],
)
def test_rows_of_any_kind_can_be_locked(rows, agent):
    locked = lockable(rows()).select_for_update(of=("self",))
    assert list(locked.values_list("pk", flat=True)) == [agent.pk]
    assert Agent.objects.all().patch(agent, system="Be brief.").system == rows().patch(agent, name="Ada").system


def test_a_row_without_a_time_is_on_no_page():
    keys = agents(range(3))
    with connection.cursor() as cursor:
        # As in a table that another tool made.
        cursor.execute("ALTER TABLE agents ALTER created_at DROP NOT NULL")
    Agent.objects.create(name="timeless")
    Agent.objects.filter(name="timeless").update(created_at=None)
    pages = walk("before", "older", 2)
    assert [row.pk for page in reversed(pages) for row in page] == keys
