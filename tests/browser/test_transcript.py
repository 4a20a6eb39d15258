"""A room of 5,000 messages, read to its beginning and on from its middle."""

import re

import pytest
from django.db import connection

from core_tables.models import Agent, Entity, Message, Room
from tests.browser.visitor import expect

COUNT = 5_000
ROWS = """
INSERT INTO messages (room_id, author_id, content, created_at)
SELECT %s, CASE n %% 3 WHEN 0 THEN %s::uuid ELSE %s::uuid END, 'Line ' || n || ' of a long talk',
       now() - make_interval(mins => 10 * (%s - n))
  FROM generate_series(1, %s) n
"""
# Playwright's own ways to find things look through a page of 5,000 messages from end to end.
OLDER = "(document.querySelector('[data-direction=older] a')?.href ?? null)"


@pytest.fixture(scope="module")
def long_room(address):
    agent = Agent.objects.get(name="Ada")
    room = Room.objects.create(agent=agent, source="discord", type="GROUP", name="a long talk")
    grace = Entity.objects.get(names__contains=["grace_o"])
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [room.pk, agent.pk, grace.pk, COUNT, COUNT])
    yield room
    room.delete()


@pytest.fixture
def lines(visit, long_room):
    """Open the transcript by clicking; return the visitor and what is said on the page."""
    visitor = visit("/admin/core_tables/room/")
    visitor.click("a long talk")
    visitor.click("Transcript")
    visitor.is_at("Transcript of a long talk")
    return visitor, visitor.page.locator(".bubble-text")


def numbers(lines):
    return [int(re.search(r"\d+", text)[0]) for text in lines.all_text_contents()]


def test_from_the_newest_to_the_very_first(lines):
    visitor, said = lines
    expect(said.last).to_be_in_viewport()
    assert numbers(said) == list(range(COUNT - 49, COUNT + 1))
    while address := visitor.page.evaluate(OLDER):
        visitor.page.keyboard.press("Home")
        visitor.page.wait_for_function(f"address => {OLDER} !== address", arg=address, polling=20)
    expect(visitor.page.get_by_text("The first message of the room")).to_be_attached()
    assert numbers(said) == list(range(1, COUNT + 1))
    visitor.page.keyboard.press("End")
    expect(said.last).to_be_in_viewport()


def test_both_ways_from_a_day(lines):
    visitor, said = lines
    moment = Message.objects.get(content="Line 2500 of a long talk").created_at
    visitor.page.get_by_label("Jump to date").fill(f"{moment:%Y-%m-%d}")
    visitor.click("Jump", role="button")
    expect(said).to_have_count(50)
    for _ in range(3):
        before = numbers(said)
        visitor.page.mouse.move(500, 400)
        visitor.page.mouse.wheel(0, 50_000)
        expect(said).not_to_have_count(len(before))
        visitor.page.keyboard.press("Home")
        visitor.page.wait_for_function(
            "n => document.querySelectorAll('.bubble-text').length > n + 50", arg=len(before)
        )
    found = numbers(said)
    assert found == list(range(found[0], found[-1] + 1))
    assert found[0] < 2500 < found[-1]


def test_what_is_read_stays_where_it_is_while_older_messages_come(lines):
    visitor, said = lines
    visitor.page.evaluate("window.scrollTo({top: 400, behavior: 'instant'})")
    anchor = visitor.page.get_by_text(f"Line {COUNT - 45} of")
    anchor.scroll_into_view_if_needed()
    before = anchor.bounding_box()["y"]
    visitor.page.get_by_role("link", name="Older messages").evaluate("link => link.click()")
    expect(said).to_have_count(100)
    assert abs(anchor.bounding_box()["y"] - before) < 3


def test_without_scripts_the_links_turn_the_page(visit, long_room):
    visitor = visit(f"/admin/core_tables/room/{long_room.pk}/transcript/", java_script_enabled=False)
    said = visitor.page.locator(".bubble-text")
    visitor.click("Older messages")
    assert numbers(said) == list(range(COUNT - 99, COUNT - 49))
    visitor.click("Newer messages")
    assert numbers(said)[-1] == COUNT
