import asyncio
import datetime
import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from core_tables.exceptions import InvalidContent
from core_tables.models import Entity, Message, Room
from tests.core_tables.asked import asking
from tests.core_tables.together import together

MINUTE = datetime.timedelta(minutes=1)


def said(room, start, count, **fields):
    rows = [Message(room=room, content=str(n), created_at=start + n * MINUTE, **fields) for n in range(count)]
    return Message.objects.bulk_create(rows)


def texts(rows):
    return [message.content for message in rows]


@pytest.mark.usefixtures("store")
class TestTranscript:
    def test_oldest_first_with_authors_in_one_query(self, room, entity, agent):
        said(room, timezone.now(), 3, author=entity)
        said(Room.objects.create(agent=agent, source="x", type="DM"), timezone.now(), 2)
        for rows in (Message.objects.transcript(room), Message.objects.transcript(room.pk), room.messages.transcript()):
            with asking(1):
                assert [(message.content, message.author.names) for message in rows] == [
                    ("0", ["Grace"]),
                    ("1", ["Grace"]),
                    ("2", ["Grace"]),
                ]

    def test_paging_there_and_back_sees_every_message_once(self, room):
        start = timezone.now()
        said(room, start, 7)
        said(room, start + 3 * MINUTE, 1)  # two at the same moment
        everything = texts(room.messages.transcript())
        page = room.messages.transcript().page(size=3)
        assert page.newer is None
        back = [page]
        while page.older:
            page = room.messages.transcript().page(before=page.older, size=3)
            back.insert(0, page)
        assert [text for each in back for text in texts(each)] == everything
        forth = [page]
        while page.newer:
            page = room.messages.transcript().page(after=page.newer, size=3)
            forth.append(page)
        assert [text for each in forth for text in texts(each)] == everything


@pytest.mark.usefixtures("store")
class TestAround:
    @pytest.fixture
    def start(self, room):
        start = timezone.now()
        said(room, start, 10)
        return start

    def test_half_before_and_half_from_the_moment_on(self, room, start):
        with asking(2):
            page = room.messages.transcript().around(start + 5 * MINUTE, size=4)
        assert texts(page) == ["3", "4", "5", "6"]
        assert texts(room.messages.page(before=page.older, size=2)) == ["1", "2"]
        assert texts(room.messages.page(after=page.newer, size=2)) == ["7", "8"]

    def test_the_ends(self, room, start):
        first = room.messages.around(start, size=4)
        assert (texts(first), first.older) == (["0", "1"], None)
        last = room.messages.around(start + 60 * MINUTE, size=4)
        assert (texts(last), last.newer) == (["8", "9"], None)
        assert texts(room.messages.around(start + MINUTE, size=1)) == ["1"]

    def test_nothing_was_said(self, room):
        page = room.messages.around(timezone.now())
        assert (len(page), page.older, page.newer) == (0, None, None)
        with pytest.raises(ValueError, match="at least 1"):
            room.messages.around(timezone.now(), size=0)


@pytest.mark.usefixtures("store")
class TestRecord:
    def test_the_second_time_the_first_is_returned(self, room, entity):
        source = {"room": room, "source_type": "discord", "source_id": "1"}
        first, new = Message.objects.record(**source, content="hello", author=entity)
        again, new_again = Message.objects.record(**source, content="changed since")
        assert (new, new_again) == (True, False)
        assert again == first
        assert again.content == "hello"

    def test_no_source_id_is_always_new(self, room):
        assert [Message.objects.record(room=room, content="hi").new for _ in range(2)] == [True, True]

    def test_an_id_of_ones_own_counts_too(self, room):
        key = uuid.uuid4()
        found = [Message.objects.record(id=key, room=room, content=text) for text in ("one", "two")]
        assert [(message.content, new) for message, new in found] == [("one", True), ("one", False)]

    def test_another_room_or_source_is_another_message(self, room, agent):
        other = Room.objects.create(agent=agent, source="x", type="DM")
        keys = [(room, "discord"), (room, "telegram"), (other, "discord")]
        assert all(
            Message.objects.record(room=place, source_type=source, source_id="1", content="x").new
            for place, source in keys
        )

    def test_a_source_needs_its_type(self, room):
        with pytest.raises(InvalidContent, match="message 17 has no source_type"):
            Message.objects.record(room=room, source_id="17", content="x")

    @pytest.mark.parametrize("spelled", [str, lambda key: str(key).upper(), lambda key: key.hex, lambda key: key])
    def test_ids_may_be_spelled_in_any_way(self, room, entity, spelled):
        key = spelled(room.pk)
        first = Message.objects.record(room=key, author=spelled(entity.pk), content="x", source_type="x", source_id=17)
        assert first.new
        assert (first.message.room, first.message.author, first.message.source_id) == (room, entity, "17")
        answer = Message.objects.record(room_id=key, content="y", in_reply_to=spelled(first.message.pk)).message
        assert answer.in_reply_to == first.message
        for source_id in (17, "17"):
            built = Message(room_id=key, content="again", source_type="x", source_id=source_id)
            with asking(2):
                assert Message.objects.record_many([built]) == [(first.message, False)]
        own = spelled(first.message.pk)
        assert Message.objects.record(id=own, room=room, content="z") == (first.message, False)

    def test_answers_to_numbers(self, room):
        rows = [Message(room=room, content=str(n), source_type="x", source_id=n) for n in (1, 2)]
        Message.objects.record_many(rows, replies={2: 1})
        assert Message.objects.get(source_id="2").in_reply_to.source_id == "1"

    @pytest.mark.parametrize(
        "fields",
        [
            {"content": "a\0b"},
            {"content": "\ud800"},
            {"metadata": {"x": float("nan")}},
            {"raw_message": [{"text": "\0"}]},
            {"source_type": "\0"},
            {"source_type": "x", "source_id": b"1"},
            {"source_type": "x", "source_id": True},
            {"source_type": "x", "source_id": 1.5},
        ],
    )
    def test_what_postgresql_has_no_text_for(self, room, fields):
        (name, *_) = reversed(fields)
        wrong = {"content": "x", **fields}
        with pytest.raises(InvalidContent, match=f"{name} of the message"):
            Message.objects.record(room=room, **wrong)
        with pytest.raises(InvalidContent, match=f"{name} of message 1 of these"):
            Message.objects.record_many([Message(room=room, content="x"), Message(room=room, **wrong)])
        assert not Message.objects.exists()

    def test_a_constraint_of_somebody_elses_is_named(self, room):
        with connection.cursor() as cursor:
            cursor.execute("CREATE UNIQUE INDEX theirs ON messages (content)")
        Message.objects.record(room=room, content="x")
        with pytest.raises(IntegrityError, match="theirs"), transaction.atomic():
            Message.objects.record(room=room, content="x", source_type="x", source_id="1")

    def test_many_tell_which_were_new_in_their_order(self, room):
        def built(ids):
            return [Message(room=room, source_type="x", source_id=each, content=str(each)) for each in ids]

        for message in built(["b", "c"]):
            message.save()
        batch = [*built(["d", "c", "a", "d", "b"]), Message(room=room, content="free")]
        with asking(2):
            found = Message.objects.record_many(iter(batch))
        assert [(message.content, new) for message, new in found] == [
            ("d", True),
            ("c", False),
            ("a", True),
            ("d", False),
            ("b", False),
            ("free", True),
        ]
        assert found[0].message.pk == found[3].message.pk
        assert Message.objects.count() == 5
        assert not any(new for _, new in Message.objects.record_many(batch[:5]))
        assert Message.objects.record_many([]) == []

    def test_more_than_one_statement_holds(self, room, monkeypatch):
        monkeypatch.setattr("core_tables.querysets.messages.BATCH", 2)
        rows = [Message(room=room, source_type="x", source_id=str(n), content="x") for n in range(5)]
        assert [new for _, new in Message.objects.record_many(rows)] == [True] * 5

    def test_answers_lead_to_what_they_answer(self, room):
        Message.objects.record(room=room, source_type="x", source_id="old", content="old")
        ids = ("c", "b", "a", "e")
        rows = [Message(room=room, source_type="x", source_id=each, content=each) for each in ids]
        Message.objects.record_many(rows, replies={"c": "b", "b": "a", "a": "old", "e": "missing", "old": "c"})
        answers = dict(Message.objects.values_list("content", "in_reply_to__content"))
        assert answers == {"c": "b", "b": "a", "a": "old", "e": None, "old": None}


@pytest.mark.usefixtures("committed_store")
class TestAtOnce:
    def test_each_message_is_new_for_one_only(self, room):
        def record(_):
            return Message.objects.record(room=room, source_type="x", source_id="1", content="x")

        found = together(record, range(16))
        assert sum(new for _, new in found) == 1
        assert len({message.pk for message, _ in found}) == 1

    def test_imports_of_the_same_messages_in_any_order_do_not_deadlock(self, room):
        def record(n):
            rows = [Message(room=room, source_type="x", source_id=str(i), content="x") for i in range(300)]
            return Message.objects.record_many(rows[::-1] if n % 2 else rows)

        found = together(record, range(12))
        assert sum(new for results in found for _, new in results) == Message.objects.count() == 300

    def test_the_twins(self, room):
        async def talk():
            await Message.objects.arecord(room=room, content="x")
            return await Message.objects.transcript(room).apage()

        assert texts(asyncio.run(talk())) == ["x"]


@pytest.mark.usefixtures("store")
def test_an_author_may_be_gone(room, entity):
    Message.objects.record(room=room, content="x", author=entity)
    Entity.objects.filter(pk=entity.pk).delete()
    assert Message.objects.transcript(room).get().author is None


@pytest.mark.usefixtures("store")
def test_a_page_reads_no_more_than_it_shows(room):
    said(room, timezone.now(), 3000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messages")
    place = room.messages.around(timezone.now() + 1500 * MINUTE).older
    plan = room.messages.transcript().before(place).newest()[:50].explain(analyze=True)
    assert "messages_room_created_idx" in plan
    assert "Seq Scan on messages" not in plan
