"""What was said in a room, page by page."""

import datetime
import json
import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from core_tables.admin.rooms.bubbles import HUES, initials
from core_tables.admin.rooms.transcript import BESIDE, SIZE, WORDS, decoded, encoded
from core_tables.admin.shown import LONGEST
from core_tables.models import Entity, Log, Memory, Message, Room
from core_tables.querysets.base import Cursor

HOSTILE = "<script>alert(1)</script>\"'&"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;"
SEEN = ("core_tables.view_room", "core_tables.view_message")
NOON = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC)
SAID = """
INSERT INTO messages (room_id, author_id, content, raw_message, created_at)
SELECT %s, %s, 'said ' || n, jsonb_build_object('n', n), %s + n * interval '1 minute' FROM generate_series(1, %s) AS n
"""


def address(room):
    return reverse("admin:core_tables_room_transcript", args=[room.pk])


def said(room, author, count, start=NOON):
    with connection.cursor() as cursor:
        cursor.execute(SAID, [room.pk, author.pk, start, count])
        cursor.execute("ANALYZE messages, memories, logs")


def text_of(response):
    assert response.status_code == 200
    return response.content.decode()


def texts(page):
    """Return what the bubbles of a page say."""
    return re.findall(r'<div class="bubble-text" dir="auto">(.*?)</div>', page, re.DOTALL)


def link(page, direction):
    """Return where the link to older or newer messages leads, None where there is none."""
    found = re.search(rf'data-direction="{direction}"><a href="([^"#]*)#', page)
    return found and found[1]


@pytest.fixture
def reader(staff, browse):
    return browse(staff(*SEEN))


class TestPage:
    def test_shows_who_said_what_the_newest_last(self, client, room, entity):
        said(room, entity, 3)
        page = text_of(client.get(address(room)))
        assert texts(page) == ["said 1", "said 2", "said 3"]
        for part in (
            "Transcript of lab",
            "Grace",
            "<h2>May 1, 2024</h2>",
            '<time datetime="2024-05-01T12:01:00+00:00">',
        ):
            assert part in page

    def test_sides_initials_and_colours(self, client, agent, room, entity):
        Entity.objects.create(pk=agent.pk, agent=agent, names=["Ada Lovelace"])
        said(room, entity, 1)
        said(room, agent, 1)
        Message.objects.create(room=room, content="from nobody")
        page = text_of(client.get(address(room)))
        assert page.count("bubble-own") == 1
        assert '<span class="bubble-role">agent</span>' in page
        assert f"bubble-own hue-{agent.pk.int % HUES}" in page
        assert f'class="bubble hue-{entity.pk.int % HUES}"' in page
        assert ">AL</span>" in page
        assert 'class="bubble">' in page

    def test_an_empty_room(self, client, room):
        page = text_of(client.get(address(room)))
        assert "There are no messages here." in page
        assert link(page, "older") is None
        assert link(page, "newer") is None

    def test_json_attachments_and_metadata(self, client, room, entity):
        attachments = [{"title": "map.png", "url": "data:;base64,AAAA"}, {"url": "https://x.test/a"}, "plain", 7]
        raw = {"attachments": attachments, "nested": {"a": [1]}}
        Message.objects.create(
            room=room, author=entity, content="Hi", raw_message=raw, metadata={"attachments": {"name": "alone"}}
        )
        page = text_of(client.get(address(room)))
        names = re.findall(r"<li><bdi>(.*?)</bdi></li>", page)
        assert names == ["map.png", "https://x.test/a", "plain", "7", "alone"]
        assert "<summary>JSON" in page
        assert "&quot;nested&quot;: {" in page
        assert 'href="https://x.test' not in page

    @pytest.mark.parametrize(
        "raw", [None, [], "text", {"attachments": None}, {"attachments": [None, {}, {"title": ""}]}]
    )
    def test_odd_json_fails_nothing(self, client, room, raw):
        Message.objects.create(room=room, content="Hi", raw_message=raw, metadata=None)
        assert texts(text_of(client.get(address(room)))) == ["Hi"]

    def test_replies_lead_to_what_they_answer(self, client, room, entity):
        question = Message.objects.create(room=room, author=entity, content="Is it on?", created_at=NOON)
        Message.objects.create(room=room, content="Yes.", in_reply_to=question)
        page = text_of(client.get(address(room)))
        assert f'href="#message-{question.pk}">In reply to <bdi>Grace</bdi>: <bdi>Is it on?</bdi></a>' in page
        said(room, entity, SIZE)
        page = text_of(client.get(address(room)))
        assert f'href="{address(room)}?message={question.pk}#message-{question.pk}"' in page
        assert f'id="message-{question.pk}"' in text_of(client.get(address(room), {"message": question.pk}))

    def test_long_texts_are_cut(self, client, room):
        Message.objects.create(room=room, content="é" * (WORDS + 1), raw_message={"a": "x" * 2 * LONGEST})
        page = text_of(client.get(address(room)))
        assert "é" * WORDS + "…" in page
        assert "é" * (WORDS + 1) not in page
        assert "The whole message" in page
        assert "x" * LONGEST not in page

    def test_large_json_stays_in_the_table(self, client, room):
        large = {"attachments": [{"title": "map.png"}], "noise": [str(uuid.uuid4()) for _ in range(10_000)]}
        Message.objects.create(room=room, content="Hi", raw_message=large)
        page = text_of(client.get(address(room)))
        assert "&quot;raw_message&quot;: &quot;(large)&quot;" in page
        assert "noise" not in page

    def test_everything_from_agents_is_escaped(self, client, agent, room):
        room.name, author = HOSTILE, Entity.objects.create(agent=agent, names=[HOSTILE])
        room.save()
        files = {"attachments": [{"title": HOSTILE, "url": "javascript:alert(1)"}, {"url": "javascript:alert(2)"}]}
        first = Message.objects.create(room=room, author=author, content=HOSTILE, raw_message=files, created_at=NOON)
        Message.objects.create(room=room, author=author, content="ok", in_reply_to=first, metadata={HOSTILE: HOSTILE})
        Memory.objects.create(agent=agent, room=room, type=HOSTILE, content={"text": HOSTILE})
        Log.objects.create(agent=agent, room=room, entity=author, type=HOSTILE, body={HOSTILE: HOSTILE})
        page = text_of(client.get(address(room)))
        assert page.count(ESCAPED) >= 8
        assert "<script>alert" not in page
        assert not re.search(r'(href|src)="javascript:', page)

    def test_no_inline_script_or_style(self, client, room, entity):
        said(room, entity, 2)
        page = text_of(client.get(address(room)))
        main = page[page.index('id="content-main"') : page.index('id="footer"')]
        assert not re.search(r"<script|\sstyle=|\son\w+=", main)

    def test_is_linked_from_the_room_and_the_message(self, client, room, entity):
        said(room, entity, 1)
        assert f'href="{address(room)}"' in text_of(
            client.get(reverse("admin:core_tables_room_change", args=[room.pk]))
        )


class TestTurning:
    def test_5_000_messages_both_ways_each_once(self, client, room, entity):
        said(room, entity, 5_000)
        everything = [f"said {n}" for n in range(1, 5_001)]
        backward, forward, step = [], [], address(room)
        while step:
            page = text_of(client.get(step))
            backward = texts(page) + backward
            first, step = page, link(page, "older")
            step = step and address(room) + step
        assert backward == everything
        page = first
        forward = texts(page)
        while step := link(page, "newer"):
            page = text_of(client.get(address(room) + step))
            forward += texts(page)
        assert forward == everything

    def test_a_page_costs_the_same_wherever_it_is(self, client, agent, room, entity):
        other = Room.objects.create(agent=agent, source="x", type="DM")
        said(room, entity, 3 * SIZE, start=NOON - datetime.timedelta(hours=5))
        few = _asked(client, text_of(client.get(address(room))), room)
        said(other, entity, 20_000)
        said(room, entity, 5_000)
        many = []
        for asked in ({}, {"at": "2024-05-02"}, {"at": "2024-05-03"}, {"at": "2024-05-04"}):
            many += _asked(client, text_of(client.get(address(room), asked)), room)
        assert len(many) == 7
        assert {len(queries) for queries in many} == {len(few[0])}
        for sql in (query["sql"] for queries in many for query in queries):
            if '"messages"."room_id"' in sql:
                steps = _steps(sql)
                assert "messages_room_created_idx" in [step.get("Index Name") for step in steps]
                assert "messages" not in [
                    step.get("Relation Name") for step in steps if step["Node Type"] == "Seq Scan"
                ]

    def test_a_page_reads_no_more_than_it_shows(self, client, room, entity):
        said(room, entity, 5_000)
        older = link(text_of(client.get(address(room))), "older")
        with CaptureQueriesContext(connection) as asked:
            client.get(address(room) + older)
        (page,) = [query["sql"] for query in asked if f"LIMIT {SIZE + 1}" in query["sql"]]
        assert max(map(_went_through, _steps(page))) <= 4 * SIZE

    def test_pages_in_the_midst_of_one_moment(self, client, room):
        Message.objects.bulk_create(Message(room=room, content=str(n), created_at=NOON) for n in range(3 * SIZE))
        page = text_of(client.get(address(room)))
        found = texts(page)
        while step := link(page, "older"):
            page = text_of(client.get(address(room) + step))
            found += texts(page)
        assert sorted(map(int, found)) == list(range(3 * SIZE))

    def test_a_message_is_on_the_page_that_it_asks_for_among_many_of_one_moment(self, client, room):
        Message.objects.bulk_create(Message(room=room, content=str(n), created_at=NOON) for n in range(3 * SIZE))
        for message in Message.objects.all()[:: SIZE // 2]:
            page = text_of(client.get(address(room), {"message": message.pk}))
            assert f'id="message-{message.pk}"' in page

    def test_other_rooms_are_out_of_it(self, client, agent, room, entity):
        other = Room.objects.create(agent=agent, source="x", type="DM")
        said(other, entity, 3)
        page = text_of(client.get(address(room), {"before": encoded(Cursor(NOON, uuid.UUID(int=2**128 - 1)))}))
        assert texts(page) == []
        message = Message.objects.first()
        assert client.get(address(room), {"message": message.pk}).status_code == 404


def _asked(client, page, room):
    """Return the queries of the pages that the links of a page lead to."""
    asked = []
    for direction in ("older", "newer"):
        if step := link(page, direction):
            with CaptureQueriesContext(connection) as queries:
                client.get(address(room) + step)
            asked.append(queries.captured_queries)
    return asked


def _steps(sql):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.replace('%', '%%')}", [])
        steps = [cursor.fetchone()[0][0]["Plan"]]
    for step in steps:
        steps += step.get("Plans", ())
    return steps


def _went_through(step):
    thrown = sum(value for name, value in step.items() if name.startswith("Rows Removed"))
    return (step["Actual Rows"] + thrown) * step["Actual Loops"]


class TestJump:
    def test_to_a_date(self, client, room, entity):
        said(room, entity, 24 * 60)
        page = text_of(client.get(address(room), {"at": "2024-05-02"}))
        assert texts(page)[SIZE // 2] == "said 720"
        message = Message.objects.get(content="said 720")
        assert re.search(rf'id="message-{message.pk}"[^>]*>\s*<span id="at">', page)
        assert link(page, "older")
        assert link(page, "newer")

    @pytest.mark.parametrize("at", ["2024-05-01T12:30:00+00:00", "2024-05-01T14:30:00+02:00", "2024-05-01 12:30"])
    def test_to_a_moment(self, client, room, entity, at):
        said(room, entity, 120)
        assert texts(text_of(client.get(address(room), {"at": at})))[SIZE // 2] == "said 30"

    @pytest.mark.parametrize(("at", "edge"), [("0001-01-01", "said 1"), ("9999-12-31", "said 60")])
    def test_beyond_the_ends(self, client, room, entity, at, edge):
        said(room, entity, 60)
        assert edge in texts(text_of(client.get(address(room), {"at": at})))

    @pytest.mark.parametrize("at", ["yesterday", "2024-13-01", "0001-01-01T00:00+14:00", HOSTILE, "\0", "9" * 999])
    def test_what_is_no_date_is_told(self, client, room, at):
        response = client.get(address(room), {"at": at}, follow=True)
        assert response.redirect_chain == [(address(room), 302)]
        assert "is no date: write 2025-12-31." in text_of(response)
        assert "<script>alert" not in text_of(response)


class TestAddresses:
    @given(st.datetimes(timezones=st.just(datetime.UTC)), st.uuids())
    def test_a_place_survives_its_address(self, moment, key):
        assert decoded(encoded(Cursor(moment, key))) == Cursor(moment, key)
        assert re.fullmatch(r"[-0-9a-f_]+", encoded(Cursor(moment, key)))

    @pytest.mark.parametrize("side", ["before", "after"])
    @pytest.mark.parametrize(
        "place",
        [
            "x",
            "1",
            "1_",
            f"1_{'g' * 32}",
            f"{'9' * 18}_{'0' * 32}",
            f"1_{'0' * 32}\n",
            f"\u0661_{'0' * 32}",
            "' OR 1",
            "\0",
        ],
    )
    def test_what_is_no_place_is_refused(self, client, room, side, place):
        assert client.get(address(room), {side: place}).status_code == 400

    def test_both_sides_at_once_are_refused(self, client, room):
        place = encoded(Cursor(NOON, uuid.uuid4()))
        assert client.get(address(room), {"before": place, "after": place}).status_code == 400

    @pytest.mark.parametrize(("key", "status"), [("x", 400), ("\0", 400), (str(uuid.UUID(int=4)), 404)])
    def test_a_message_that_is_none(self, client, room, key, status):
        assert client.get(address(room), {"message": key}).status_code == status

    def test_a_room_that_is_none(self, client):
        assert client.get(reverse("admin:core_tables_room_transcript", args=[uuid.uuid4()])).status_code == 404

    def test_only_reads(self, client, room):
        assert client.post(address(room)).status_code == 405


class TestRights:
    @pytest.mark.parametrize("permissions", [(), SEEN[:1], SEEN[1:], ("core_tables.view_memory",)])
    def test_needs_rooms_and_messages(self, staff, browse, room, permissions):
        client = browse(staff(*permissions))
        for view in ("transcript", "transcript_export"):
            for key in (room.pk, uuid.uuid4()):
                assert client.get(reverse(f"admin:core_tables_room_{view}", args=[key])).status_code == 403

    def test_strangers_are_sent_to_log_in(self, room):
        assert Client().get(address(room)).status_code == 302

    def test_what_is_beside_needs_rights_of_its_own(self, staff, browse, room, entity):
        agent = room.agent
        Memory.objects.create(agent=agent, room=room, type="facts", content={"text": "a memory"})
        Log.objects.create(agent=agent, room=room, entity=entity, type="action", body={"done": "a deed"})
        alone = text_of(browse(staff(*SEEN)).get(address(room)))
        assert "a memory" not in alone
        assert "a deed" not in alone
        assert "<aside" not in alone
        memories = text_of(browse(staff(*SEEN, "core_tables.view_memory")).get(address(room)))
        assert "a memory" in memories
        assert "a deed" not in memories
        logs = text_of(browse(staff(*SEEN, "core_tables.view_log")).get(address(room)))
        assert "a memory" not in logs
        assert "a deed" in logs

    def test_links_to_entities_are_for_those_who_may_see_them(self, reader, room, entity):
        said(room, entity, 1)
        page = text_of(reader.get(address(room)))
        assert "Grace" in page
        assert "/core_tables/entity/" not in page


class TestBeside:
    def test_has_what_was_remembered_between_the_first_message_and_the_next_page(self, client, agent, room, entity):
        said(room, entity, 3 * SIZE)
        for n in (SIZE - 1, SIZE + 10, 2 * SIZE, 3 * SIZE):
            at = NOON + datetime.timedelta(minutes=n, seconds=30)
            Memory.objects.create(agent=agent, room=room, type="facts", content={"text": f"fact {n}"}, created_at=at)
        page = text_of(client.get(address(room)))
        facts = [re.findall(r"fact \d+", page)]
        while step := link(page, "older"):
            page = text_of(client.get(address(room) + step))
            facts.append(re.findall(r"fact \d+", page))
        assert facts == [["fact 150"], ["fact 60", "fact 100"], ["fact 49"]]

    def test_is_bounded(self, client, agent, room, entity):
        for n in range(BESIDE + 3):
            Memory.objects.create(agent=agent, room=room, type="facts", content={"text": f"fact {n}"})
            Log.objects.create(agent=agent, room=room, entity=entity, type="action", body={"x": "y" * 1000})
        page = text_of(client.get(address(room)))
        assert len(re.findall(r"fact \d+", page)) == BESIDE
        assert "More memories of the room" in page
        assert "y" * 200 not in page

    def test_other_rooms_are_out_of_it(self, client, agent, room):
        other = Room.objects.create(agent=agent, source="x", type="DM")
        Memory.objects.create(agent=agent, room=other, type="facts", content={"text": "elsewhere"})
        assert "elsewhere" not in text_of(client.get(address(room)))


class TestExport:
    def test_has_all_messages_a_line_each(self, client, room, entity):
        said(room, entity, 1_100)
        Message.objects.create(room=room, content="two\nlines\u2028", created_at=NOON)
        response = client.get(reverse("admin:core_tables_room_transcript_export", args=[room.pk]))
        lines = b"".join(response.streaming_content).decode().splitlines()
        assert len(lines) == 1_101
        first, second = map(json.loads, lines[:2])
        assert first["content"] == "two\nlines\u2028"
        assert second["author"] == "Grace"
        assert response["Content-Disposition"] == f'attachment; filename="transcript-{room.pk}.jsonl"'

    def test_holds_no_more_than_a_part_at_a_time(self, client, room, entity):
        said(room, entity, 1_100)
        with CaptureQueriesContext(connection) as asked:
            b"".join(client.get(reverse("admin:core_tables_room_transcript_export", args=[room.pk])).streaming_content)
        assert sum('FROM "messages"' in query["sql"] for query in asked) == 4


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Grace", "G"),
        ("ada lovelace", "AL"),
        ("a b c", "AC"),
        ("<x> (y)", "XY"),
        ("🙂", "?"),
        ("", "?"),
        ("李 小龙", "李小"),
    ],
)
def test_initials(name, letters):
    assert initials(name) == letters
