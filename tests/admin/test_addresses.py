"""Addresses that somebody made up, and what lists say of how much there is."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from core_tables.admin.base import AT_ONCE
from core_tables.models import Message
from tests.admin import many

LIST = reverse("admin:core_tables_memory_changelist")
ENDS = ("9999-12-31T23:59:59.999999-14:00", "0001-01-01T00:00:00+14:00")


@pytest.mark.parametrize("before", ENDS)
def test_runs_before_no_moment(client, before):
    page = client.get(reverse("admin:core_tables_log_runs"), {"before": before})
    assert "is no moment" in page.content.decode()


def test_a_type_that_is_too_long(client, memory):
    page = client.get(reverse("admin:core_tables_memory_recall"), {"q": "x", "type": "x" * 3000})
    assert "3,000 bytes" in page.content.decode()


@pytest.mark.parametrize("moment", ["x", "2025-13-01", *ENDS])
@pytest.mark.parametrize(
    "column", ["task run_at", "memory expires_at", "participant last_read_at"], ids=lambda column: column.split()[0]
)
def test_a_new_row_at_no_moment(client, column, moment):
    model, name = column.split()
    assert client.get(reverse(f"admin:core_tables_{model}_add"), {name: moment}).status_code == 200


def test_a_new_row_at_a_moment(client, site):
    page = client.get(reverse("admin:core_tables_memory_add"), {"expires_at": "2030-02-03T04:05:06"}).content.decode()
    assert "2030-02-03" in page
    assert "04:05:06" in page


class TestTranscriptAtADate:
    @pytest.fixture
    def said(self, room, entity):
        now = timezone.now()
        return [
            Message.objects.create(
                room=room, author=entity, content="x", created_at=now + datetime.timedelta(hours=hour)
            )
            for hour in range(3)
        ]

    @pytest.mark.parametrize(("days", "place"), [(-1, 0), (1, 2)], ids=["before", "after"])
    def test_leads_to_the_nearest_message(self, client, room, said, days, place):
        at = (timezone.now() + datetime.timedelta(days=days)).isoformat()
        page = client.get(reverse("admin:core_tables_room_transcript", args=[room.pk]), {"at": at})
        assert page.context["moment"] == said[place].pk
        assert '<span id="at">' in page.content.decode()


class TestWords:
    @pytest.mark.usefixtures("memory")
    def test_no_list_offers_to_show_all_that_it_shows(self, client):
        assert "Show all" not in client.get(LIST).content.decode()
        assert "Show all" in client.get(LIST, {"type": "facts"}).content.decode()
        assert "Show all" not in client.get(reverse("admin:core_tables_entity_changelist")).content.decode()

    @pytest.mark.parametrize(("count", "offered"), [(60, True), (AT_ONCE + 1, False)])
    def test_as_many_can_be_selected_as_an_action_takes(self, client, room, entity, count, offered):
        many.memories(room.agent, room, entity, count)
        page = client.get(LIST).content.decode()
        assert (f"Select all {count}" in page) == offered
        assert "0 of 50 selected" in page
