"""The pictures of the documentation, taken of the demo: `python -m pytest tests/browser/screenshots.py`."""

from pathlib import Path

import pytest
from django.urls import reverse

from core_tables.models import Agent, Memory, Room

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDTH = 1280
LARGEST = 200_000  # bytes


def of_ada(model, **fields):
    return model.objects.filter(agent__name="Ada", **fields).order_by("pk").first()


SHOWN = {  # an address, and the height
    "memories": (lambda: reverse("admin:core_tables_memory_changelist") + "?q=travel+kettle", 760),
    "memory": (
        lambda: (
            reverse(
                "admin:core_tables_memory_change",
                args=[of_ada(Memory, type="facts", unique=True, expires_at=None, content__text__icontains="leaks").pk],
            )
            + "#alike"
        ),
        900,
    ),
    "transcript": (
        lambda: reverse("admin:core_tables_room_transcript", args=[of_ada(Room, name="lab-kettle").pk]),
        900,
    ),
    "recall": (
        lambda: reverse("admin:core_tables_memory_recall") + "?q=Who+drinks+green+tea%3F&type=facts&exact=on#arms",
        1200,
    ),
    "schema": (lambda: reverse("admin:agentsql_schema_changelist"), 900),
    "dashboard": (
        lambda: reverse("admin:core_tables_agent_dashboard", args=[Agent.objects.get(name="Ada").pk]),
        1100,
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_screenshot(visit, name):
    address, height = SHOWN[name]
    visitor = visit("/admin/core_tables/agent/", viewport={"width": WIDTH, "height": height}, color_scheme="light")
    visitor.click("Toggle navigation", role="button")
    visitor.go(address())
    visitor.page.wait_for_load_state("networkidle")
    path = IMAGES / f"admin-{name}.png"
    visitor.page.screenshot(path=path)
    assert path.stat().st_size < LARGEST
