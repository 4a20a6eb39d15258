import datetime
import subprocess
import sys

import pytest
from django.db import connection
from django.utils import timezone

from core_tables.exceptions import InvalidContent
from core_tables.models import Agent, Entity, Message, Participant, Room, World
from tests.core_tables import store as stores
from tests.core_tables.asked import asking
from tests.core_tables.together import together


@pytest.mark.usefixtures("store")
class TestLists:
    @pytest.mark.usefixtures("room")
    def test_rooms_of_a_world_and_of_an_entity(self, agent, entity):
        world = World.objects.create(agent=agent, name="w")
        inside = Room.objects.create(agent=agent, source="x", type="DM", world_id=world.pk)
        Participant.objects.join(inside, entity)
        assert [list(Room.objects.in_world(key)) for key in (world, world.pk)] == [[inside]] * 2
        assert [list(agent.rooms.with_entity(key)) for key in (entity, entity.pk)] == [[inside]] * 2
        assert list(Room.objects.in_world(world).with_entity(entity).filter(source="y")) == []

    def test_the_last_message_and_the_members_come_along(self, agent, room, entity):
        quiet = Room.objects.create(agent=agent, source="x", type="DM", name="quiet")
        Participant.objects.join(room, entity, Entity.objects.create(agent=agent))
        now = timezone.now()
        for minute, content in enumerate(["one", "two", "three"]):
            Message.objects.create(room=room, content=content, created_at=now + datetime.timedelta(minutes=minute))
        with asking(1):
            found = {each.pk: each for each in Room.objects.with_last_message()}
        last = now + datetime.timedelta(minutes=2)
        seen = found[room.pk]
        assert (seen.last_message, seen.last_message_at, seen.member_count) == ("three", last, 2)
        seen = found[quiet.pk]
        assert (seen.last_message, seen.last_message_at, seen.member_count) == (None, None, 0)

    def test_the_last_message_is_found_by_the_index(self, agent):
        Room.objects.bulk_create(Room(agent=agent, source="x", type="DM", name=str(n)) for n in range(5))
        start = timezone.now()
        for place in Room.objects.all():
            # At times of their own: among equal ones an index that ends at the time is of little use.
            times = (start + datetime.timedelta(seconds=n) for n in range(800))
            Message.objects.bulk_create(Message(room=place, content="hi", created_at=time) for time in times)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE messages")
        plan = Room.objects.with_last_message().explain()
        assert "messages_room_created_idx" in plan
        assert "Seq Scan on messages" not in plan


@pytest.mark.usefixtures("store")
class TestEnsure:
    def test_the_first_call_makes_the_room_and_the_others_return_it(self, agent):
        defaults = {"type": "GROUP", "name": "lab"}
        room, made = Room.objects.ensure(agent=agent, source="discord", channel_id="1", defaults=defaults)
        assert made
        assert (room.type, room.name, room.agent, room.channel_id) == ("GROUP", "lab", agent, "1")
        with asking(1):
            again = Room.objects.ensure(agent=agent.pk, source="discord", channel_id="1", defaults={"name": "other"})
        assert again == (room, False)
        assert again[0].name == "lab"

    def test_an_agents_id_may_be_text(self, agent):
        room, _ = Room.objects.ensure(agent=str(agent.pk), source="x", channel_id="1")
        assert Room.objects.ensure(agent=agent, source="x", channel_id="1") == (room, False)
        assert room.agent == agent

    def test_a_channel_may_be_a_number(self, agent):
        room, made = Room.objects.ensure(agent=agent, source="telegram", channel_id=-1001)
        assert (room.channel_id, made) == ("-1001", True)
        for channel in (-1001, "-1001"):
            assert Room.objects.ensure(agent=agent, source="telegram", channel_id=channel) == (room, False)

    def test_a_filter_makes_no_second_room(self, agent, room):
        room, _ = Room.objects.ensure(agent=agent, source="x", channel_id="1")
        eve = Agent.objects.create(name="Eve")
        for rows in (eve.rooms, Room.objects.filter(source="y")):
            assert rows.ensure(agent=agent, source="x", channel_id="1") == (room, False)

    @pytest.mark.parametrize(
        "fields",
        [{"source": "\0"}, {"channel_id": "\ud800"}, {"channel_id": None}, {"defaults": {"metadata": {"a": "\0"}}}],
    )
    def test_what_postgresql_has_no_text_for(self, agent, fields):
        with pytest.raises(InvalidContent, match=r"source|channel_id|field metadata of the room"):
            Room.objects.ensure(**{"agent": agent, "source": "x", "channel_id": "1", **fields})
        assert not Room.objects.exists()

    def test_channels_sources_and_agents_are_kept_apart(self, agent):
        eve = Agent.objects.create(name="Eve")
        keys = [(agent, "a", "1"), (agent, "a", "2"), (agent, "b", "1"), (eve, "a", "1"), (None, "a", "1")]
        for _ in range(2):
            for owner, source, channel in keys:
                Room.objects.ensure(agent=owner, source=source, channel_id=channel)
        assert Room.objects.count() == len(keys)

    def test_of_several_the_oldest_counts(self, agent):
        make = {"agent": agent, "source": "x", "channel_id": "1", "type": "DM"}
        old = Room.objects.create(**make, created_at=timezone.now() - datetime.timedelta(days=1))
        Room.objects.create(**make)
        assert Room.objects.ensure(agent=agent, source="x", channel_id="1") == (old, False)

    @pytest.mark.parametrize("again", [{"source": "y"}, {"channel_id": "2"}, {"agent": None, "agent_id": None}])
    def test_what_it_is_found_by_is_no_default(self, agent, again):
        with pytest.raises(ValueError, match=f"The defaults have {', '.join(again)}, which a room is found by"):
            Room.objects.ensure(agent=agent, source="x", channel_id="1", defaults=again)

    def test_a_channel_has_one_room_from_whichever_side(self, agent):
        room, _ = Room.objects.ensure(agent=agent, source="x", channel_id="1")
        bob = Agent.objects.create(name="Bob")
        assert bob.rooms.ensure(agent=agent, source="x", channel_id="1") == (room, False)


ENSURE = """
import sys, django
django.setup()
from core_tables.models import Room
from tests.core_tables.asked import asking
from tests.core_tables.together import together
made = together(lambda n: Room.objects.ensure(agent=sys.argv[1], source="x", channel_id=str(n % 3))[1], range(8))
print(sum(made))
"""


@pytest.mark.usefixtures("committed_store")
class TestAtOnce:
    def test_threads_make_one_room(self, agent):
        def ensure(_):
            return Room.objects.ensure(agent=agent, source="x", channel_id="1", defaults={"type": "DM"})

        results = together(ensure, range(16))
        assert len({room.pk for room, _ in results}) == 1
        assert sum(made for _, made in results) == 1
        assert Room.objects.count() == 1

    def test_processes_make_one_room(self, agent):
        variables = stores.variables() | {"DJANGO_SETTINGS_MODULE": "settings"}
        words = [sys.executable, "-c", ENSURE, str(agent.pk)]
        running = [subprocess.Popen(words, env=variables, stdout=subprocess.PIPE) for _ in range(3)]
        assert sum(int(each.communicate(timeout=60)[0]) for each in running) == 3
        assert Room.objects.count() == 3
