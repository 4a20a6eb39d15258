"""Every kind of page for everybody: with a screen reader, in either theme, on a phone, with the keyboard alone."""

import pytest
from django.urls import reverse

from core_tables.models import Agent, Entity, Log, Memory, Message, Room, Task
from tests.browser.visitor import expect

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright",
    reason="axe-core is missing: pip install axe-playwright-python",
)
PHONE = {"width": 375, "height": 667}
SERIOUS = {"serious", "critical"}
# What Django's own templates do, by rule: elements that are let off.
DJANGOS = {
    "label-title-only": "#searchbar",  # labelled by a picture
    "label": ".datetime input",  # Django 6 has labels there
    "link-in-text-block": ".breadcrumbs a, #changelist-search .small a, .delete-confirmation li a",
}
LET_OFF = "([target, selector]) => selector !== '' && document.querySelector(target).matches(selector)"


def lists(*names):
    return {f"list of {name}": lambda name=name: reverse(f"admin:core_tables_{name}_changelist") for name in names}


def change(found, name):
    return reverse(f"admin:core_tables_{name}_change", args=[found.pk])


def ada():
    return Agent.objects.get(name="Ada")


def room():
    return Room.objects.filter(agent=ada()).order_by("name").first()


def fact():
    return Memory.objects.filter(agent=ada(), type="facts", content__text__icontains="kettle").live().earliest("pk")


PAGES = {
    "index": lambda: reverse("admin:index"),
    "index of the tables": lambda: reverse("admin:app_list", args=["core_tables"]),
    **lists("room", "agent", "entity", "task", "log", "cache"),
    "list of memories": lambda: reverse("admin:core_tables_memory_changelist") + "?q=kettle",
    "memory": lambda: change(fact(), "memory"),
    "document": lambda: change(Memory.objects.of_type("documents").first(), "memory"),
    "deleting a memory": lambda: reverse("admin:core_tables_memory_delete", args=[fact().pk]),
    "recall": lambda: reverse("admin:core_tables_memory_recall") + "?q=who+drinks+green+tea&exact=on",
    "room": lambda: change(room(), "room"),
    "transcript": lambda: reverse("admin:core_tables_room_transcript", args=[room().pk]),
    "message": lambda: change(Message.objects.filter(room=room()).latest("created_at"), "message"),
    "agent": lambda: change(ada(), "agent"),
    "dashboard": lambda: reverse("admin:core_tables_agent_dashboard", args=[ada().pk]),
    "deleting an agent": lambda: reverse("admin:core_tables_agent_delete", args=[ada().pk]),
    "entity": lambda: change(Entity.objects.get(names__contains=["grace_o"]), "entity"),
    "task": lambda: change(Task.objects.failed().first(), "task"),
    "log entry": lambda: change(Log.objects.filter(type="action").latest("created_at"), "log"),
    "runs": lambda: reverse("admin:core_tables_log_runs"),
    "clearing a cache": lambda: reverse("admin:core_tables_cache_clear") + f"?agent={ada().pk}",
    "schema": lambda: reverse("admin:agentsql_schema_changelist"),
}


def faults(visitor, **options):
    """Return what axe finds that is serious, a line for each element."""
    # Colours change step by step, and a style sheet that axe loads once more may be looked for in the wrong place.
    visitor.page.evaluate("Promise.all(document.getAnimations().map(one => one.finished))")
    found = axe.Axe().run(visitor.page, options={"resultTypes": ["violations"], "preload": False, **options})
    return [
        f"{fault['id']}: {node['target']} {node['html'][:300]} {node['failureSummary'][:300]}"
        for fault in found.response["violations"]
        if fault["impact"] in SERIOUS
        for node in fault["nodes"]
        if not visitor.page.evaluate(LET_OFF, [node["target"][0], DJANGOS.get(fault["id"], "")])
    ]


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_it(visit, name):
    visitor = visit(PAGES[name](), color_scheme="light")
    assert faults(visitor) == []
    visitor.page.emulate_media(color_scheme="dark")
    visitor.page.set_viewport_size(PHONE)
    assert faults(visitor) == []
    assert not visitor.is_cut_off()


def test_the_keyboard_is_enough(visit):
    visitor = visit("/admin/core_tables/room/")
    page, said = visitor.page, visitor.page.locator(".bubble")
    visitor.tab_to(page.get_by_role("textbox", name="Search"))
    page.keyboard.type("lab-kettle")
    page.keyboard.press("Enter")
    for link in ("lab-kettle", "Transcript"):
        visitor.tab_to(page.get_by_role("main").get_by_role("link", name=link, exact=True))
        page.keyboard.press("Enter")
    visitor.is_at("Transcript of lab-kettle")
    visitor.tab_to(page.locator("[data-direction=older] a"))
    page.keyboard.press("Tab")
    expect(said).to_have_count(50)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(said).to_have_count(100)
    visitor.tab_to(said.first.locator("summary"))
    page.keyboard.press("Enter")
    expect(said.first.locator("pre")).to_be_visible()
