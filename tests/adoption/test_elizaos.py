"""A database of an elizaOS 1.7 runtime, taken over in place."""

import re
import uuid
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from django.db import ProgrammingError, connection

from core_tables.models import Agent, Cache, Embedding, Entity, Log, Memory, Message, Participant, Room, Task
from tests.adoption.conftest import HERE
from tests.core_tables import expected
from tests.oracle import fingerprint

pytestmark = pytest.mark.extension("vector")

# What its rows make impossible, and how an operator mends it: the copies go, the oldest or the newest stays.
MENDING = {
    "unique participants(entity_id, room_id)": """
        DELETE FROM participants p USING participants q
         WHERE (p.entity_id, p.room_id) = (q.entity_id, q.room_id) AND (p.created_at, p.ctid) > (q.created_at, q.ctid)
    """,
    "unique embeddings(memory_id)": """
        DELETE FROM embeddings e USING embeddings f
         WHERE e.memory_id = f.memory_id AND e.created_at < f.created_at
    """,
    "primary key logs": "DELETE FROM logs l USING logs m WHERE l.id = m.id AND l.ctid > m.ctid",
}
WITHOUT_ZONE = ["worlds", "rooms", "entities", "components", "memories", "embeddings"]
STATEMENT = re.compile(r"(?:ALTER|COMMENT|DROP INDEX) [^;]+;")
ROUNDS = 3  # keys that are declared twice are told one after the other


@pytest.fixture
def eliza(house):
    house.load("elizaos.sql")
    return house


def the_old_program_writes(house, digit):
    """Send what the runtime sends in its life: `digit` keeps two lives apart."""
    for line in (HERE / "elizaos_writes.sql").read_text(encoding="utf-8").splitlines():
        if not line.startswith("--"):
            house.sql(line.replace("#", digit))


def we_write(now):
    """Write into every table by the ORM, read it again, and take it away."""
    agent = Agent.objects.create(name="ours")
    entity = Entity.objects.create(agent=agent, names=["она"], created_at=now)
    room = Room.objects.create(agent=agent, source="web", type="DM", created_at=now)
    memory = Memory.objects.create(agent=agent, room=room, type="facts", content={"text": "ő"}, created_at=now)
    Embedding.objects.create(memory=memory, agent=agent, dim_384=[0.5] * 384, created_at=now)
    Participant.objects.create(entity=entity, room=room, agent=agent)
    Message.objects.create(room=room, author=entity, content="hello", source_type="x", source_id="1")
    Log.objects.create(entity=entity, room=room, agent=agent, type="action", body={})
    Cache.objects.create(agent=agent, key="k", value={"v": None})
    Task.objects.create(agent=agent, name="t", tags=["queue"], run_at=now)
    Memory.objects.filter(pk=memory.pk).update(content={"text": "other"})
    assert Memory.objects.get(room=room, content__text="other").agent == agent
    agent.delete()
    assert not Log.objects.filter(room=room.pk).exists()


def serious(report):
    return {finding["object"]: finding for finding in report["findings"] if finding["level"] == "error"}


def failed(report):
    return {step["name"] for step in report["steps"] if step["outcome"] == "failed"}


def test_nothing_is_lost_or_altered_and_all_that_is_possible_is_added(eliza):
    before = eliza.portrait()

    report = eliza.automigrate()

    assert eliza.lost(before) == []
    with connection.cursor() as cursor:
        found = fingerprint(cursor)
    assert report["code"] == 1
    assert set(serious(report)) == set(MENDING)
    assert report["remaining"] == len(MENDING)
    for table, columns in expected.COLUMNS.items():
        assert columns.keys() <= found[table]["columns"].keys()
    assert failed(report) == {"participants_entity_room_uniq", "embeddings_memory_id_key", "logs_pkey"}
    assert [name for table in found.values() for name, index in table["indexes"].items() if not index["valid"]] == []


def test_a_plan_changes_nothing_at_all(eliza):
    before = eliza.portrait()
    plan = eliza.automigrate("--plan")

    assert eliza.portrait() == before
    assert plan["code"] == 0
    assert {"logs_pkey", "participants_entity_room_uniq"} < {step["name"] for step in plan["steps"]}


def test_each_impossibility_is_one_finding_with_a_query_that_lists_the_rows(eliza):
    found = serious(eliza.automigrate())

    assert {finding["id"] for finding in found.values()} == {"agentsql.D015"}
    listed = {name: eliza.rows(finding["hint"].partition(": ")[2]) for name, finding in found.items()}
    participants = "unique participants(entity_id, room_id)"
    pairs = {(str(entity)[-1], str(room)[-1], count) for entity, room, count in listed[participants]}
    assert pairs == {("1", "1", 3), ("2", "2", 2)}
    assert listed["unique embeddings(memory_id)"] == [(uuid.UUID("e0000000-0000-0000-0000-000000000002"), 2)]
    assert listed["primary key logs"] == [(uuid.UUID("f0000000-0000-0000-0000-000000000001"), 2)]
    assert "2 keys are in more than one row" in found[participants]["message"]


def test_after_mending_it_converges_and_a_second_run_plans_nothing(eliza):
    eliza.automigrate()
    eliza.sql(*MENDING.values())
    before = eliza.portrait()

    report = eliza.automigrate()

    assert (report["code"], report["remaining"], serious(report)) == (0, 0, {})
    assert {step["name"] for step in report["steps"]} == {
        "participants_entity_room_uniq",
        "embeddings_memory_id_key",
        "logs_pkey",
    }
    assert eliza.lost(before) == []
    again = eliza.automigrate()
    assert (again["status"], again["steps"]) == ("converged", [])


def test_whoever_follows_every_hint_is_left_with_information_only(eliza):
    eliza.sql(*MENDING.values())
    eliza.automigrate()
    count = "SELECT count(*), count(DISTINCT id) FROM memories"
    before = eliza.rows(count)

    for _ in range(ROUNDS):
        told = [one for one in eliza.automigrate("--plan")["findings"] if one["level"] != "info"]
        for one in told:
            with suppress(ProgrammingError):  # two findings may have one remedy
                eliza.sql(STATEMENT.search(one["hint"])[0])
        eliza.automigrate()

    assert told == []
    assert eliza.automigrate("--check")["code"] == 0
    assert eliza.rows(count) == before
    the_old_program_writes(eliza, "6")
    we_write(datetime(2025, 7, 1, tzinfo=UTC))


def test_times_keep_their_instant_wherever_the_hint_is_followed(eliza):
    """The runtime wrote them in UTC."""
    report = eliza.automigrate()
    (finding,) = [one for one in report["findings"] if one["object"] == "worlds.created_at"]

    eliza.sql("SET TIME ZONE 'Europe/Moscow'", STATEMENT.search(finding["hint"])[0], "SET TIME ZONE 'UTC'")

    assert eliza.rows("SELECT created_at FROM worlds WHERE name = ''") == [
        (datetime(2025, 10, 26, 1, 30, 0, 123456, tzinfo=UTC),)
    ]


def test_the_statements_of_the_walk_through(eliza):
    """The copies are kept aside, and times keep their instant in whatever zone the operator sits."""
    text = (HERE.parent.parent / "docs" / "adopting.md").read_text(encoding="utf-8")
    (aside,) = re.findall(r"BEGIN;\n.*?COMMIT;", text, re.DOTALL)
    (logs,) = re.findall(r"`(DELETE FROM logs [^`]+)`", text)
    (zone,) = re.findall(r"`(ALTER TABLE worlds [^`]+)`", text)
    eliza.automigrate()

    eliza.sql(aside, logs, MENDING["unique embeddings(memory_id)"])

    assert (eliza.automigrate()["remaining"], eliza.rows("SELECT count(*) FROM participants_aside")) == (0, [(3,)])
    eliza.sql("SET TIME ZONE 'Europe/Moscow'", zone, "SET TIME ZONE 'UTC'")
    assert eliza.rows("SELECT created_at FROM worlds WHERE name = ''") == [
        (datetime(2025, 10, 26, 1, 30, 0, 123456, tzinfo=UTC),)
    ]


def test_timestamps_without_a_zone_are_told_and_left(eliza):
    report = eliza.automigrate()

    assert {one["object"] for one in report["findings"] if one["id"] == "agentsql.D101"} == {
        f"{table}.created_at" for table in WITHOUT_ZONE
    }
    found = eliza.rows("SELECT created_at FROM worlds WHERE name = ''")
    assert found == [(datetime(2025, 10, 26, 1, 30, 0, 123456),)]  # noqa: DTZ001 without a zone, as it was


def test_both_programs_work_before_and_after(eliza):
    """The duplicates are still there: neither program minds."""
    the_old_program_writes(eliza, "3")
    eliza.automigrate()
    the_old_program_writes(eliza, "4")
    we_write(datetime(2025, 7, 1, tzinfo=UTC))

    eliza.sql(*MENDING.values())
    eliza.automigrate()
    the_old_program_writes(eliza, "5")
    we_write(datetime(2025, 7, 1, tzinfo=UTC))


def test_what_the_old_program_wrote_is_read_by_ours(eliza):
    eliza.automigrate()

    agent = Agent.objects.get(username="elza")
    assert (agent.name, agent.system, agent.settings["n"], agent.metadata) == ("Эльза 🤖", None, None, {})
    assert Memory.objects.filter(content__text__startswith="Привет").get().embedding.dim_384 is not None
    assert Participant.objects.filter(entity=None).count() == 2
    assert Task.objects.get(name="напомнить").status == Task.Status.PENDING
    assert Cache.objects.get(pk=("ключ", agent.pk)).value is None


def test_its_other_tables_are_none_of_our_business(eliza):
    names = {"channels", "central_messages", "message_servers", "_migrations", "active_agents"}
    report = eliza.automigrate()

    assert names.isdisjoint(step["table"] for step in report["steps"])
    assert [one for one in report["findings"] if names & set(one["object"].replace(".", " ").split())] == []
