import asyncio
import datetime

import pytest
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from core_tables.exceptions import InvalidContent
from core_tables.models import Entity, Log, Room
from tests.core_tables.asked import asking
from tests.core_tables.together import together

SECOND = datetime.timedelta(seconds=1)
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def write(agent, room, entity):
    """Write an entry so many seconds after the start."""

    def write(kind, at, place=room, **body):
        return Log.objects.create(
            type=kind, body=body, created_at=START + at * SECOND, agent=agent, room=place, entity=entity
        )

    return write


@pytest.mark.usefixtures("store")
class TestWriting:
    def test_one_and_many(self, agent, room, entity):
        entry = Log.objects.write("action", {"x": 1}, entity=entity, room=room.pk, agent=agent)
        assert Log.objects.get() == entry
        with asking(1):
            made = Log.objects.write_many(Log(type="b", body={}, entity=entity, room=room) for _ in range(500))
        assert made == 500
        assert Log.objects.of_type("b").count() == 500
        assert Log.objects.of_type("action", "b").filter(agent=agent).count() == 1

    @pytest.mark.parametrize(
        ("kind", "body"), [("\0", {}), ("a", {"x": "\ud800"}), ("a", [float("nan")]), ("a", {1: {1}})]
    )
    def test_what_postgresql_has_no_text_for(self, room, entity, kind, body):
        with pytest.raises(InvalidContent, match=r"field (type|body) of the log entry"):
            Log.objects.write(kind, body, entity=entity, room=room)
        rows = [Log(type="a", body={}, entity=entity, room=room), Log(type=kind, body=body, entity=entity, room=room)]
        with pytest.raises(InvalidContent, match=r"field (type|body) of log entry 1 of these"):
            Log.objects.write_many(rows)
        assert not Log.objects.exists()

    def test_spans_of_time(self, write):
        for at in range(5):
            write("a", at)
        assert Log.objects.between(START + SECOND, START + 3 * SECOND).count() == 2


@pytest.mark.usefixtures("store")
class TestRuns:
    def test_a_run_is_told_whole(self, write, room, entity, agent):
        other = Room.objects.create(agent=agent, source="x", type="DM")
        write("run_event", 0, runId="r", status="started", messageId="m")
        write("action", 1, runId="r", result={"success": True}, promptCount=2)
        write("action", 2, runId="r", result={"success": False}, promptCount="many")
        write("action", 2, runId="r")
        write("useModel:TEXT_LARGE", 3, other, runId="r")
        write("evaluator", 4, runId="r")
        write("embedding_event", 4, runId="r", status="failed")
        write("embedding_event", 4, runId="r", status="completed")
        write("run_event", 5, runId="r", status="completed")
        write("action", 6, runId="another, without events")
        write("action", 6, other="no run")
        with asking(1):
            (run,) = Log.objects.runs()
        assert (run.id, run.status, run.seconds, run.message_id) == ("r", "completed", 5.0, "m")
        assert (run.started, run.ended) == (START, START + 5 * SECOND)
        assert (run.room_id, run.entity_id) == (room.pk, entity.pk)
        assert (run.actions, run.evaluators, run.model_calls, run.errors) == (3, 1, 3, 2)

    def test_a_run_that_has_not_ended_or_whose_beginning_is_gone(self, write):
        write("run_event", 0, runId="goes on", status="started")
        write("run_event", 1, runId="no beginning", status="timeout")
        goes_on, no_beginning = Log.objects.runs()
        assert (goes_on.id, goes_on.status, goes_on.seconds) == ("goes on", "started", None)
        assert (no_beginning.status, no_beginning.started, no_beginning.seconds) == ("timeout", None, None)

    def test_newest_first_limited_and_filtered(self, write, agent):
        other = Room.objects.create(agent=agent, source="x", type="DM")
        for n in range(6):
            place = {"place": other} if n % 2 else {}
            write("run_event", n, **place, runId=f"r{n}", status="started")
            write("run_event", n, **place, runId=f"r{n}", status="error" if n < 2 else "completed")
        assert [run.id for run in other.logs.runs()] == ["r5", "r3", "r1"]
        assert [run.id for run in Log.objects.runs(limit=3)] == ["r5", "r4", "r3"]
        assert [run.id for run in Log.objects.runs(status="error")] == ["r1", "r0"]
        assert [run.id for run in Log.objects.between(end=START + 2 * SECOND).runs()] == ["r1", "r0"]
        assert Log.objects.filter(entity=Entity.objects.create(agent=agent)).runs() == []
        with pytest.raises(ValueError, match="at least 1"):
            Log.objects.runs(limit=0)

    def test_a_run_that_ended_twice_has_its_last_end(self, write):
        write("run_event", 0, runId="r", status="started")
        write("run_event", 1, runId="r", status="timeout")
        write("run_event", 2, runId="r", status="completed")
        (run,) = Log.objects.runs()
        assert (run.status, run.seconds) == ("completed", 2.0)

    @pytest.mark.parametrize(
        "counts", [[10**400], [10**308] * 2, [-1], [True], ["3"], [None], [[]], [{}], [float("1e6") + 1]]
    )
    def test_a_number_that_cannot_be_counts_as_none(self, write, counts):
        write("run_event", 0, runId="r", status="started")
        for count in [*counts, 2, 0, 1.5]:
            write("action", 1, runId="r", promptCount=count)
        (run,) = Log.objects.runs()
        assert (run.model_calls, run.actions) == (3, len(counts) + 3)

    def test_the_entries_of_a_run_are_found_by_the_index(self, room, entity):
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO logs (type, body, created_at, room_id, entity_id)
                SELECT kind, jsonb_build_object('runId', 'r' || n), now() + n * '1s'::interval, %s, %s
                  FROM generate_series(1, 15000) AS n, unnest('{run_event,action}'::text[]) AS kind
                """,
                [room.pk, entity.pk],
            )
            cursor.execute("ANALYZE logs; SET LOCAL random_page_cost = 1.1")  # a disk without a head
        seen = []

        def explained(execute, sql, params, many, context):
            with connection.cursor() as cursor:
                cursor.cursor.execute(f"EXPLAIN {sql}", params)
                seen.extend(line for (line,) in cursor.fetchall())
            return execute(sql, params, many, context)

        with connection.execute_wrapper(explained):
            assert len(Log.objects.runs(limit=5)) == 5
        assert any("logs_run_idx" in line for line in seen), "\n".join(seen)
        assert not any("Seq Scan" in line for line in seen), "\n".join(seen)


@pytest.mark.usefixtures("store")
class TestRetention:
    def test_the_old_go_in_batches_and_the_others_stay(self, write):
        for at in range(10):
            write("a", at)
        kept = [write("b", 1), write("a", 10)]
        assert list(Log.objects.of_type("a").delete_older_than(START + 10 * SECOND, batch=4)) == [4, 4, 2]
        assert set(Log.objects.all()) == set(kept)
        assert list(Log.objects.delete_older_than(START)) == []

    def test_stopping_in_the_middle_keeps_what_was_done(self, write):
        for at in range(6):
            write("a", at)
        batches = Log.objects.delete_older_than(timezone.now(), batch=2)
        assert next(batches) == 2
        batches.close()
        assert Log.objects.count() == 4

    @pytest.mark.parametrize("rows", [Log.objects.distinct, lambda: Log.objects.annotate(n=Count("room"))])
    def test_rows_that_are_distinct_or_grouped_go_too(self, write, rows):
        for at in range(3):
            write("a", at)
        assert list(rows().delete_older_than(timezone.now(), batch=2)) == [2, 1]

    def test_a_batch_of_nothing_is_refused(self):
        with pytest.raises(ValueError, match="at least 1"):
            next(Log.objects.delete_older_than(START, batch=0))


@pytest.mark.usefixtures("committed_store")
class TestAtOnce:
    def test_two_that_delete_do_not_wait_for_each_other(self, room, entity):
        Log.objects.write_many(Log(type="a", body={}, created_at=START, room=room, entity=entity) for _ in range(2000))
        counts = together(lambda _: sum(Log.objects.delete_older_than(timezone.now(), batch=50)), range(4))
        assert sum(counts) + Log.objects.count() == 2000
        assert not Log.objects.exists()

    def test_the_twins(self, write):
        for at in range(5):
            write("a", at)

        async def counts():
            return [count async for count in Log.objects.adelete_older_than(timezone.now(), batch=2)]

        assert asyncio.run(counts()) == [2, 2, 1]
        assert asyncio.run(Log.objects.aruns()) == []
