"""A site with USE_TZ off, whose times have no zone."""

import datetime

import pytest
from django.urls import reverse

from tests.admin.test_odd_rows import address_of, failures, pages, rows  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def _naive(settings):
    settings.USE_TZ = False
    settings.TIME_ZONE = "Europe/Berlin"


def test_all_pages(client, rows):  # noqa: F811
    assert rows[0].created_at.tzinfo is None
    assert failures(client, pages(rows)) == {}


def test_places_of_a_transcript(client, room, entity):
    said = datetime.datetime(2025, 7, 1, 12)  # noqa: DTZ001 - as the settings have it
    for minute in range(60):
        room.messages.create(
            author=entity, content=f"said {minute}", created_at=said + datetime.timedelta(minutes=minute)
        )
    page = client.get(reverse("admin:core_tables_room_transcript", args=[room.pk]))
    older = client.get(f"{page.request['PATH_INFO']}?before={page.context['older']}").content.decode()
    assert "said 9" in older
    assert "said 10" not in older


def test_a_moment_with_a_zone(client, room, entity):
    room.messages.create(author=entity, content="x", created_at=datetime.datetime(2025, 7, 1, 12))  # noqa: DTZ001
    address = reverse("admin:core_tables_room_transcript", args=[room.pk])
    assert client.get(address, {"at": "2025-07-01T09:30:00+00:00"}).status_code == 200
    runs = reverse("admin:core_tables_log_runs")
    assert client.get(runs, {"before": "2025-07-01T09:30:00+00:00"}).status_code == 200
