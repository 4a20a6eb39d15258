import datetime
import uuid

import pytest
from django.db import connection
from django.utils import timezone

from core_tables.models import Entity, Message, Participant, Room
from core_tables.querysets.base import Cursor
from tests.core_tables.asked import asking
from tests.core_tables.together import together

MINUTE = datetime.timedelta(minutes=1)


@pytest.mark.usefixtures("store")
class TestMembership:
    def test_joining_twice_is_joining_once(self, room, entity, agent):
        other = Entity.objects.create(agent=agent)
        assert Participant.objects.join(room, entity) == 1
        assert Participant.objects.join(room.pk, entity, other.pk, other) == 1
        assert {each.entity_id for each in Participant.objects.in_room(room)} == {entity.pk, other.pk}
        assert {each.agent_id for each in Participant.objects.of(entity)} == {agent.pk}

    def test_ids_may_be_text(self, room, entity):
        assert Participant.objects.join(str(room.pk), str(entity.pk), entity) == 1
        assert Participant.objects.join(room, entity.pk.hex.upper()) == 0
        assert Participant.objects.unread(str(entity.pk)) == {room.pk: 0}

    def test_leaving(self, room, entity):
        Participant.objects.join(room, entity)
        assert Participant.objects.leave(room, entity.pk) == 1
        assert Participant.objects.leave(room, entity) == 0
        assert not Participant.objects.exists()

    def test_a_room_that_is_not_there(self, entity):
        with pytest.raises(Room.DoesNotExist):
            Participant.objects.join(uuid.uuid4(), entity)

    def test_the_state_is_kept(self, room, entity):
        Participant.objects.join(room, entity)
        assert Participant.objects.state(room, entity) is None
        Participant.objects.set_state(room, entity, "MUTED")
        assert Participant.objects.state(room.pk, entity.pk) == Participant.RoomState.MUTED
        Participant.objects.set_state(room, entity, None)
        assert Participant.objects.state(room, entity) is None

    def test_what_cannot_be(self, room, entity):
        for call in (
            lambda: Participant.objects.state(room, entity),
            lambda: Participant.objects.set_state(room, entity, "MUTED"),
            lambda: Participant.objects.mark_read(room, entity),
        ):
            with pytest.raises(Participant.DoesNotExist, match=f"{entity.pk} is not in room {room.pk}: join"):
                call()
        with pytest.raises(ValueError, match="LOUD"):
            Participant.objects.set_state(room, entity, "LOUD")


@pytest.mark.usefixtures("store")
class TestUnread:
    @pytest.fixture
    def start(self, room, entity, agent):
        """Ten messages by another, one a minute, one of nobody's, and one of the entity's own."""
        start = timezone.now()
        other = Entity.objects.create(agent=agent)
        Participant.objects.join(room, entity, other)
        times = [start + n * MINUTE for n in range(10)]
        Message.objects.bulk_create(Message(room=room, author=other, content="x", created_at=at) for at in times)
        Message.objects.create(room=room, content="x", created_at=start + 20 * MINUTE)
        Message.objects.create(room=room, author=entity, content="x", created_at=start + 30 * MINUTE)
        return start

    def test_what_others_said_since(self, start, room, entity, agent):
        quiet = Room.objects.create(agent=agent, source="x", type="DM")
        Participant.objects.join(quiet, entity)
        with asking(1):
            assert Participant.objects.unread(entity) == {quiet.pk: 0, room.pk: 11}
        Participant.objects.mark_read(room, entity, start + 4 * MINUTE)
        assert Participant.objects.unread(entity.pk)[room.pk] == 6
        Participant.objects.mark_read(room, entity)
        assert Participant.objects.unread(entity)[room.pk] == 0

    @pytest.mark.usefixtures("start")
    def test_the_count_stops_at_the_cap(self, room, entity):
        assert Participant.objects.unread(entity, cap=5) == {room.pk: 5}

    def test_what_came_after_the_message_that_was_shown_is_not_read(self, start, room, entity):
        shown = room.messages.transcript().page(before=Cursor(start + 5 * MINUTE, uuid.UUID(int=0)))[-1]
        Participant.objects.mark_read(room, entity, at=shown)
        assert Participant.objects.unread(entity)[room.pk] == 6

    @pytest.mark.parametrize(("cap", "error"), [(0, ValueError), (-1, ValueError), ("9", TypeError)])
    def test_a_cap_is_a_number(self, entity, cap, error):
        with pytest.raises(error, match=r"cap is .*at least 1"):
            Participant.objects.unread(entity, cap=cap)

    def test_what_is_read_is_a_message_or_a_time(self, room, entity):
        Participant.objects.join(room, entity)
        with pytest.raises(TypeError, match="`at` is 'soon': give the newest message"):
            Participant.objects.mark_read(room, entity, at="soon")

    @pytest.mark.usefixtures("start")
    def test_a_long_room_is_not_counted_through(self, room, entity):
        Message.objects.bulk_create(Message(room=room, content="x") for _ in range(3000))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE messages, participants")
        wrapper = Explained()
        with connection.execute_wrapper(wrapper):
            Participant.objects.unread(entity, cap=100)
        assert wrapper.most <= 150

    def test_reading_never_goes_backwards(self, start, room, entity):
        Participant.objects.mark_read(room, entity, start + 5 * MINUTE)
        Participant.objects.mark_read(room, entity, start)
        assert Participant.objects.of(entity).get().last_read_at == start + 5 * MINUTE

    def test_a_room_without_messages_can_be_read(self, room, entity):
        Participant.objects.join(room, entity)
        Participant.objects.mark_read(room, entity)
        assert Participant.objects.get().last_read_at is not None


class Explained:
    """Instead of a query, ask how many rows each node of its plan gives."""

    most = 0

    def __call__(self, execute, sql, params, many, context):
        with connection.cursor() as cursor:
            cursor.cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
            plan = [cursor.fetchone()[0][0]["Plan"]]
            for node in plan:
                self.most = max(self.most, node["Actual Rows"])
                plan += node.get("Plans", [])
        return execute(sql, params, many, context)


@pytest.mark.usefixtures("committed_store")
class TestAtOnce:
    def test_each_joins_once(self, room, entity, agent):
        others = [entity, Entity.objects.create(agent=agent)]
        joined = together(lambda n: Participant.objects.join(room, *others[:: 1 - 2 * (n % 2)]), range(16))
        assert sum(joined) == Participant.objects.count() == 2

    def test_also_where_an_adopted_table_has_no_constraint(self, room, entity):
        name, columns = "participants_entity_room_uniq", "(entity_id, room_id)"
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE participants DROP CONSTRAINT {name}")
            try:
                assert sum(together(lambda _: Participant.objects.join(room, entity), range(16))) == 1
            finally:
                cursor.execute(f"ALTER TABLE participants ADD CONSTRAINT {name} UNIQUE {columns}")
        assert Participant.objects.count() == 1

    def test_the_latest_moment_stands(self, room, entity):
        Participant.objects.join(room, entity)
        start = timezone.now()
        together(lambda n: Participant.objects.mark_read(room, entity, start + n * MINUTE), range(16))
        assert Participant.objects.get().last_read_at == start + 15 * MINUTE
