"""Finding a memory, what is like it, and what a search finds and why."""

import re

from tests.browser.conftest import NAME, PASSWORD
from tests.browser.visitor import expect


def test_a_stranger_logs_in(visit):
    visitor = visit("/admin/core_tables/memory/", stranger=True)
    visitor.log_in(NAME, PASSWORD)
    visitor.is_at("Select memory to change")


def test_find_one_open_it_and_go_on_to_its_neighbours(visit):
    visitor = visit()
    visitor.click("Memories")
    visitor.page.get_by_role("textbox", name="Search").fill("travel kettle")
    visitor.page.keyboard.press("Enter")
    found = visitor.page.locator("#result_list tbody th a").first
    expect(found).to_contain_text("travel kettle")
    words = found.inner_text()
    found.click()
    visitor.is_at("Change memory")
    expect(visitor.page.get_by_label("Content:")).to_have_value(re.compile(re.escape(words[:40])))
    (_, nearest, *_) = alike = visitor.table("Memories much like it")
    assert len(alike) > 3
    assert "kettle" in nearest[0]
    assert visitor.table("In its room")[0] == ["TIME", "KIND", "WHO", "TEXT"]
    visitor.page.get_by_role("region", name="Memories much like it").get_by_role("link").first.click()
    expect(visitor.page.get_by_label("Content:")).to_have_value(re.compile(re.escape(nearest[0][:40])))


def test_search_by_meaning(visit):
    visitor = visit("/admin/core_tables/memory/")
    visitor.page.get_by_role("textbox", name="Search").fill("leaking kettles")
    visitor.page.get_by_label("Search by").select_option("meaning")
    visitor.click("Search", role="button")
    visitor.sees("leaks at the spout")


def test_filter_and_page(visit):
    visitor = visit("/admin/core_tables/memory/")
    visitor.filter("Milo", "facts")
    rows = visitor.page.locator("#result_list tbody tr")
    expect(rows.filter(has_text="Milo").filter(has_text="facts")).to_have_count(50)
    visitor.page.locator(".paginator").get_by_text("2", exact=True).click()
    expect(rows.filter(has_text="Milo").filter(has_text="facts")).to_have_count(50)


def test_why_a_search_finds_what_it_finds(visit):
    visitor = visit("/admin/core_tables/")
    visitor.click("Recall debugger")
    visitor.page.get_by_label("Query:").fill("Who drinks green tea?")
    visitor.click("Search", role="button")
    arms = visitor.table("What each arm did")
    assert {row[0] for row in arms[1:]} == {"vector", "text"}
    (_, best, *others) = visitor.table("What came of it")
    assert "green tea" in best[1]
    assert len(others) >= 5


def test_why_a_memory_is_found(visit):
    visitor = visit("/admin/core_tables/memory/?q=travel+kettle")
    visitor.page.locator("#result_list tbody th a").first.click()
    visitor.click("Debug its recall")
    (_, vector) = visitor.table("What each arm did")
    assert vector[0] == "vector"
    assert vector[-1] == "1.00", "recall against exact"
