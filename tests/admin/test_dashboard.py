import datetime
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core_tables.admin.agents import memories as agent_memories
from core_tables.admin.agents.charts import HEIGHT, TOP, chart
from core_tables.admin.agents.memories import by_day, vectors
from core_tables.admin.bounded import Amount, estimates
from core_tables.models import Agent, Embedding, Log, Memory, Task
from tests.admin import many

HOSTILE = "</title><script>alert(1)</script>\"'&"
ALL = ("agent", "memory", "embedding", "room", "entity", "task", "log")


def page_of(agent):
    return reverse("admin:core_tables_agent_dashboard", args=[agent.pk])


def text_of(response):
    return " ".join(re.sub("<[^>]+>", " ", response.content.decode()).split())


def remember(agent, days_ago=0.0, width=None):
    at = timezone.now() - datetime.timedelta(days=days_ago)
    memory = Memory.objects.create(agent=agent, type="facts", content={"text": "x"}, created_at=at)
    if width:
        Embedding.objects.create(memory=memory, agent=agent, **{f"dim_{width}": [1.0] * width})
    return memory


def test_what_an_agent_has(agent, room, entity, client):
    remember(agent, width=384)
    remember(agent)
    Task.objects.schedule("late", agent=agent, at=datetime.timedelta(hours=-1))
    Task.objects.schedule("later", agent=agent, at=datetime.timedelta(hours=1))
    Task.objects.create(name="broken", agent=agent, status="failed", run_at=timezone.now(), last_error="Out of <tea>")
    Log.objects.write("action", {"result": {"success": False, "why": "no milk"}}, agent=agent, entity=entity, room=room)
    Log.objects.write("action", {"result": {"success": True, "why": "fine"}}, agent=agent, entity=entity, room=room)
    text = text_of(client.get(page_of(agent)))
    for part in [
        "Dashboard of Ada",
        "Memories 2 Rooms 1 Entities 1 Tasks due 1 Tasks overdue 1 Tasks failed 1",
        "1 of 2 memories have no vector",
        "384 1",
        "Task broken Out of &lt;tea&gt;",
        "no milk",
        "An estimate",
    ]:
        assert part in text
    assert "fine" not in text


def test_each_section_needs_the_right_to_see_its_rows(agent, room, entity, staff, browse):
    remember(agent)
    Log.objects.write("error", {"message": "no milk"}, agent=agent, entity=entity, room=room)
    bare = text_of(browse(staff("core_tables.view_agent")).get(page_of(agent)))
    for part in ["Memories", "Rooms", "Entities", "Tasks", "Last errors", "Embeddings", "Storage", "no milk"]:
        assert part not in bare
    some = text_of(browse(staff("core_tables.view_agent", "core_tables.view_memory")).get(page_of(agent)))
    assert "Memories a day" in some
    assert "Embeddings" not in some
    assert "Entities" not in some
    assert browse(staff("core_tables.view_memory", "core_tables.view_log")).get(page_of(agent)).status_code == 403


def test_another_agents_rows_are_not_told(agent, room, entity, client):
    other = Agent.objects.create(name="Bo")
    Task.objects.create(name="broken", agent=agent, status="failed", run_at=timezone.now(), last_error="tea")
    Log.objects.write("error", {"message": "no milk"}, agent=agent, entity=entity, room=room)
    remember(agent)
    text = text_of(client.get(page_of(other)))
    assert "Memories 0 Rooms 0 Entities 0 Tasks due 0 Tasks overdue 0 Tasks failed 0 Last activity none yet" in text
    assert "tea" not in text
    assert "milk" not in text


def test_it_is_only_read(agent, client, browse, staff):
    assert client.post(page_of(agent)).status_code == 405
    missing = page_of(agent).replace(str(agent.pk), "00000000-0000-0000-0000-000000000000")
    assert client.get(missing).status_code == 302


def test_hostile_content_is_escaped(agent, room, entity, client):
    Agent.objects.update(name=HOSTILE)
    Task.objects.create(name=HOSTILE, agent=agent, status="failed", run_at=timezone.now(), last_error=HOSTILE)
    Log.objects.write("error", {HOSTILE: HOSTILE}, agent=agent, entity=entity, room=room)
    assert "<script>alert" not in client.get(page_of(agent)).content.decode()


def test_the_secrets_of_the_settings_are_not_even_read(agent, client):
    with CaptureQueriesContext(connection) as queries:
        client.get(page_of(agent))
    assert not any('"settings"' in query["sql"] for query in queries)


def test_days(agent):
    for days in (0, 0, 2, 29.5, 31):
        remember(agent, days)
    remember(agent, -2)
    with timezone.override("Pacific/Auckland"):
        today = timezone.localdate()
        days = {day.date: str(day.amount) for day in by_day(agent)}
    assert len(days) == 30
    assert min(days) == today - datetime.timedelta(days=29)
    assert max(days) == today
    assert sum(map(int, days.values())) in (3, 4)
    assert days[today] == "2"


def test_days_before_the_newest_memories_are_estimated(agent, room, entity, monkeypatch):
    monkeypatch.setattr(agent_memories, "COUNTED", 100)
    many.memories(agent, room, entity, 10_000)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE memories SET created_at = now() - (now() - created_at) * 60")
    many.analyzed()
    *_, before, _today = days = by_day(agent)
    assert before.amount.about is not None
    assert 1000 < before.amount.about < 2000  # a minute apart
    assert chart(days).is_estimate
    assert chart(days).total.startswith("about")


def test_vectors_are_looked_at_from_both_ends(agent, monkeypatch):
    monkeypatch.setattr(agent_memories, "SAMPLED", 2)
    for days, width in [(0, 768), (1, None), (2, 512), (3, 384), (4, 384)]:
        remember(agent, days, width)
    found = vectors(agent)
    assert (found.sampled, found.without, found.widths) == (4, 1, {384: 2, 768: 1})
    assert not found.is_all(Amount(counted=5))
    assert dict(found.scaled(Amount(counted=5))) == {384: Amount(counted=2, about=2), 768: Amount(counted=1, about=1)}


def test_a_vector_itself_is_never_read(agent):
    remember(agent, width=384)
    with CaptureQueriesContext(connection) as queries:
        vectors(agent)
    (sql,) = [query["sql"] for query in queries if "dim_384" in query["sql"]]
    assert re.findall(r'"dim_384" (?!IS NOT NULL)', sql.partition("LATERAL")[2]) == []


@pytest.mark.parametrize("count", [0, 1, 7])
def test_bars_stand_on_the_axis_and_stay_in_the_drawing(agent, count):
    for _ in range(count):
        remember(agent)
    drawn = chart(by_day(agent))
    assert all(bar.y >= TOP and abs(bar.y + bar.height - (HEIGHT - 20)) < 0.02 for bar in drawn.bars)
    assert max(bar.height for bar in drawn.bars) == (110 if count else 0)


def test_estimates_of_several_come_in_their_order(agent, room, entity):
    many.memories(agent, room, entity, 1000)
    many.analyzed()
    rows = [Memory.objects.filter(agent=agent), Memory.objects.none(), Agent.objects.all()]
    first, second, third = estimates(rows, "default")
    assert first == 1000
    assert second <= 1
    assert third < 1000


def test_the_page_asks_as_much_of_a_hundred_thousand_rows_as_of_ten(agent, room, entity, client):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page_of(agent)).status_code == 200
        return len(queries)

    many.memories(agent, room, entity, 10)
    asked()
    few = asked()
    many.memories(agent, room, entity, 100_000)
    many.analyzed()
    assert asked() == few
    assert few < 30
