"""Worlds, rooms and who is in them."""

import datetime
import uuid

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core_tables.admin.rooms.admin import ROOMS
from core_tables.admin.rooms.changelist import MANY
from core_tables.admin.rooms.participants import SHOWN
from core_tables.models import Entity, Log, Memory, Message, Participant, Room, World

LIST = reverse("admin:core_tables_room_changelist")
HOSTILE = "<script>alert(1)</script>\"'&"
ESCAPED = "&lt;script&gt;"
VIEW = tuple(f"core_tables.view_{name}" for name in ("room", "world", "participant", "message"))


def page(row, view="change"):
    return reverse(f"admin:core_tables_{row._meta.model_name}_{view}", args=[row.pk])


def of(model, room):
    return f"{reverse(f'admin:core_tables_{model}_changelist')}?room={room.pk}"


def text_of(response):
    assert response.status_code == 200
    return response.content.decode()


def queries(client, address):
    client.get(address)  # what is asked once a process: content types
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return asked.captured_queries


def many(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        cursor.execute("ANALYZE rooms, worlds, participants, messages, entities")


def rooms(agent, count, **world):
    many(
        "INSERT INTO rooms (source, type, name, channel_id, agent_id, world_id, created_at) SELECT 'discord', 'DM',"
        " 'room ' || n, 'c' || n, %s, %s, now() - n * interval '1 second' FROM generate_series(1, %s) AS n",
        agent.pk,
        world.get("world"),
        count,
    )


def messages(room, count):
    many(
        "INSERT INTO messages (room_id, content, created_at)"
        " SELECT %s, 'said ' || n, now() - n * interval '1 second' FROM generate_series(1, %s) AS n",
        room.pk,
        count,
    )


def members(room, count):
    many(
        "WITH new AS (INSERT INTO entities (agent_id, names) SELECT %s, ARRAY['member ' || n]"
        " FROM generate_series(1, %s) AS n RETURNING id)"
        " INSERT INTO participants (entity_id, room_id, agent_id) SELECT id, %s, %s FROM new",
        room.agent_id,
        count,
        room.pk,
        room.agent_id,
    )


@pytest.fixture
def member(room, entity):
    return Participant.objects.create(room=room, entity=entity, agent_id=room.agent_id)


@pytest.fixture
def viewer(staff, browse):
    return browse(staff(*VIEW))


class TestList:
    @pytest.mark.usefixtures("member")
    def test_shows_where_a_room_is_from_and_what_happened_there(self, client, room):
        said = Message.objects.create(
            room=room, content="Hi", created_at=datetime.datetime(2024, 5, 1, tzinfo=datetime.UTC)
        )
        shown = text_of(client.get(LIST))
        for part in ("lab", "Ada", "discord", "GROUP", "May 1, 2024", page(room, "transcript")):
            assert part in shown
        assert '<td class="field-members">1</td>' in shown
        assert '<td class="field-messages">1</td>' in shown
        said.delete()
        assert '<td class="field-last_message">none</td>' in text_of(client.get(LIST))

    def test_counts_an_entity_that_an_adopted_table_holds_twice_once(self, client, room, member):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE participants DROP CONSTRAINT participants_entity_room_uniq")
        Participant.objects.create(room=room, entity=member.entity)
        assert '<td class="field-members">1</td>' in text_of(client.get(LIST))

    def test_stops_counting(self, client, room):
        messages(room, MANY + 5)
        members(room, MANY + 5)
        shown = text_of(client.get(LIST))
        assert '<td class="field-messages">1,000+</td>' in shown
        assert '<td class="field-members">1,000+</td>' in shown

    @pytest.mark.usefixtures("room", "member")
    def test_who_may_see_rooms_alone_sees_no_numbers_of_others(self, staff, browse):
        shown = text_of(browse(staff("core_tables.view_room")).get(LIST))
        assert "lab" in shown
        for column in ("members", "messages", "last_message", "transcript"):
            assert f"column-{column}" not in shown

    def test_nobody_looks_into_the_settings_of_an_agent(self, client, room):
        for lookup in ("agent__settings__icontains", "agent__settings__key", "metadata__icontains"):
            assert client.get(LIST, {lookup: "s"}).status_code == 400
            assert client.get(of("message", room), {f"room__{lookup}": "s"}).status_code == 400

    @pytest.mark.parametrize("term", ["lab", "LA", "channel-7", "{id}"])
    def test_finds_by_name_channel_and_id(self, client, agent, room, term):
        Room.objects.filter(pk=room.pk).update(channel_id="channel-7")
        Room.objects.create(agent=agent, source="telegram", type="DM", name="other", channel_id="channel-70")
        shown = text_of(client.get(LIST, {"q": term.format(id=room.pk)}))
        assert page(room) in shown
        assert "1 room" in shown
        assert "other" not in shown

    @pytest.mark.parametrize("term", ["%", "_", "x' OR 1=1 --", "\\", "nothing"])
    @pytest.mark.usefixtures("room")
    def test_finds_nothing_where_there_is_nothing(self, client, term):
        assert "0 rooms" in text_of(client.get(LIST, {"q": term}))

    @pytest.mark.parametrize("chosen", [{"source": "telegram"}, {"type": "DM"}, {"world_id": "{world}"}])
    def test_filters(self, client, agent, room, chosen):
        world = World.objects.create(agent=agent, name="Sea")
        Room.objects.create(agent=agent, source="telegram", type="DM", name="other", world_id=world.pk)
        offered = text_of(client.get(LIST))
        assert "?source=telegram" in offered
        assert "?type=DM" in offered
        shown = text_of(client.get(LIST, {name: value.format(world=world.pk) for name, value in chosen.items()}))
        assert "other" in shown
        assert page(room) not in shown

    def test_escapes_what_agents_wrote(self, client, agent):
        agent.name = HOSTILE
        agent.save()
        Room.objects.create(agent=agent, source=HOSTILE, type=HOSTILE, name=HOSTILE, channel_id=HOSTILE)
        shown = text_of(client.get(LIST))
        assert ESCAPED in shown
        assert HOSTILE not in shown
        assert "<script>alert" not in shown

    def test_as_many_queries_for_100_000_rooms_as_for_10(self, client, agent):
        rooms(agent, 10)
        few = len(queries(client, LIST))
        rooms(agent, 100_000)
        asked = queries(client, LIST)
        assert len(asked) == few
        for query in (*asked, *queries(client, f"{LIST}?p=100"), *queries(client, f"{LIST}?q=room+7")):
            if "DISTINCT" not in query["sql"] and query["sql"].startswith("SELECT"):
                assert seen(query["sql"]) <= 12_000, query["sql"]


def seen(sql):
    """Return the most rows that a step of the plan went through, those that it threw away included."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.replace('%', '%%')}", [])
        return max(_steps(cursor.fetchone()[0][0]["Plan"]))


def _steps(plan):
    thrown = sum(value for name, value in plan.items() if name.startswith("Rows Removed"))
    yield (plan["Actual Rows"] + thrown) * max(1, plan["Actual Loops"])
    for step in plan.get("Plans", ()):
        yield from _steps(step)


class TestPage:
    def test_shows_participants_with_state_and_unread(self, client, room, member):
        member.room_state = "MUTED"
        member.save()
        messages(room, 3)
        shown = text_of(client.get(page(room)))
        assert "Grace" in shown
        assert '<option value="MUTED" selected>' in shown
        assert '<td class="field-unread">\n              \n                  <p>3</p>' in shown

    def test_own_messages_and_read_ones_are_not_unread(self, client, room, member):
        Message.objects.create(room=room, author=member.entity, content="mine")
        Message.objects.create(room=room, content="old", created_at=timezone.now() - datetime.timedelta(days=2))
        member.last_read_at = timezone.now() - datetime.timedelta(days=1)
        member.save()
        assert "<p>0</p>" in text_of(client.get(page(room)))

    def test_shows_the_first_participants_and_a_way_to_all(self, client, room):
        members(room, SHOWN + 10)
        shown = text_of(client.get(page(room)))
        assert shown.count("has_original") == SHOWN
        assert of("participant", room) in shown
        assert f"{SHOWN + 10} participants" in text_of(client.get(of("participant", room)))

    def test_as_many_queries_for_100_000_members_and_messages_as_for_10(self, client, room):
        members(room, 60)
        messages(room, 10)
        few = len(queries(client, page(room)))
        members(room, 100_000)
        messages(room, 100_000)
        assert len(queries(client, page(room))) == few

    def test_saves_the_state_of_a_participant_and_tells_the_log(self, client, room, member):
        answer = client.post(page(room), sent(room, member, room_state="FOLLOWED"))
        assert answer.status_code == 302
        member.refresh_from_db()
        assert member.room_state == "FOLLOWED"
        assert "participant" in LogEntry.objects.get().get_change_message()

    def test_a_participant_of_another_room_is_out_of_reach(self, client, agent, room, member):
        other = Room.objects.create(agent=agent, source="x", type="DM")
        stranger = Participant.objects.create(room=other, entity=member.entity)
        client.post(page(room), sent(room, stranger, room_state="MUTED"))
        stranger.refresh_from_db()
        assert stranger.room_state is None
        assert stranger.room_id == other.pk

    def test_links_to_the_world_for_those_who_may_see_it(self, client, staff, browse, agent, room):
        world = World.objects.create(agent=agent, name="Sea")
        Room.objects.filter(pk=room.pk).update(world_id=world.pk)
        assert page(world) in text_of(client.get(page(room)))
        assert page(world) not in text_of(browse(staff("core_tables.view_room")).get(page(room)))

    def test_what_is_null_stays_null(self, client, agent):
        room = Room.objects.create(agent=agent, source="web", type="DM")
        for message in (Message.objects.create(room=room, content=str(n)) for n in range(2)):
            fields = {"content": "edited", "room": str(room.pk), "raw_message": "null", "metadata": "{}"}
            assert client.post(page(message), fields).status_code == 302
            message.refresh_from_db()
            assert (message.source_type, message.source_id) == (None, None)

    def test_json_that_no_column_takes_is_told_at_the_field(self, client, room, member):
        shown = text_of(client.post(page(room), {**sent(room, member), "metadata": '{"a": "\\u0000"}'}))
        assert "NUL" in shown

    def test_can_be_added(self, client, agent):
        fields = {"name": "new", "agent": str(agent.pk), "source": "web", "type": "DM", "metadata": "{}"}
        assert client.post(reverse("admin:core_tables_room_add"), fields).status_code == 302
        assert Room.objects.get().name == "new"


def sent(room, member, **fields):
    """Return what the form of a room sends, with one participant."""
    one = {"id": member.pk, "room": room.pk, **fields}
    rows = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 1, **{f"0-{name}": value for name, value in one.items()}}
    return {
        "name": room.name,
        "agent": str(room.agent_id),
        "source": room.source,
        "type": room.type,
        "metadata": "{}",
        **{f"participants-{name}": str(value) for name, value in rows.items()},
    }


class TestRights:
    @pytest.mark.parametrize("model", ["room", "world", "participant", "message"])
    @pytest.mark.usefixtures("room")
    def test_nobody_without_rights_sees_anything(self, staff, browse, model):
        for client in (browse(staff()), browse(staff("core_tables.view_memory"))):
            assert client.get(reverse(f"admin:core_tables_{model}_changelist")).status_code == 403
            assert client.get(reverse(f"admin:core_tables_{model}_add")).status_code == 403

    def test_viewers_write_nothing(self, viewer, room, member):
        message = Message.objects.create(room=room, content="Hi")
        for row in (room, member, message):
            assert viewer.get(page(row)).status_code == 200
            assert viewer.post(page(row), sent(room, member, room_state="MUTED")).status_code == 403
            assert viewer.post(page(row, "delete"), {"post": "yes"}).status_code == 403
        member.refresh_from_db()
        assert member.room_state is None

    def test_who_may_change_rooms_alone_changes_no_participant(self, staff, browse, room, member):
        client = browse(staff("core_tables.change_room", "core_tables.view_participant"))
        client.post(page(room), sent(room, member, room_state="MUTED"))
        member.refresh_from_db()
        assert member.room_state is None

    @pytest.mark.usefixtures("member")
    def test_a_page_shows_no_participants_to_those_who_may_not_see_them(self, staff, browse, room):
        assert "Grace" not in text_of(browse(staff("core_tables.view_room")).get(page(room)))

    @pytest.mark.usefixtures("member")
    def test_unread_is_for_those_who_may_see_messages(self, staff, browse, room):
        client = browse(staff("core_tables.view_room", "core_tables.view_participant"))
        assert "field-unread" not in text_of(client.get(page(room)))


class TestDeletion:
    @pytest.mark.usefixtures("member")
    def test_tells_what_goes_in_numbers(self, client, agent, room, entity):
        messages(room, 20)
        Memory.objects.create(agent=agent, room=room, type="facts", content={"text": "secret words"})
        Log.objects.create(room=room, entity=entity, type="action", body={})
        shown = text_of(client.get(page(room, "delete")))
        assert "20" in shown
        assert "secret words" not in shown
        assert client.post(page(room, "delete"), {"post": "yes"}).status_code == 302
        assert not any(model.objects.exists() for model in (Room, Message, Memory))

    def test_needs_the_rights_for_what_goes_too(self, staff, browse, room):
        Message.objects.create(room=room, content="Hi")
        client = browse(staff("core_tables.view_room", "core_tables.delete_room"))
        assert client.post(page(room, "delete"), {"post": "yes"}).status_code == 403
        assert Room.objects.exists()

    def test_a_message_leaves_its_answers(self, client, room):
        question = Message.objects.create(room=room, content="?")
        answer = Message.objects.create(room=room, content="!", in_reply_to=question)
        assert client.post(page(question, "delete"), {"post": "yes"}).status_code == 302
        answer.refresh_from_db()
        assert answer.in_reply_to is None


class TestWorlds:
    def test_lists_the_first_rooms_and_a_way_to_all(self, client, agent):
        world = World.objects.create(agent=agent, name="Sea")
        rooms(agent, ROOMS + 5, world=world.pk)
        shown = text_of(client.get(page(world)))
        assert shown.count("/core_tables/room/") - shown.count(f"{LIST}?world_id={world.pk}") >= ROOMS
        assert f"{LIST}?world_id={world.pk}" in shown
        assert f"{ROOMS + 5} rooms" in text_of(client.get(f"{LIST}?world_id={world.pk}"))

    def test_lists_no_rooms_to_those_who_may_not_see_them(self, staff, browse, agent, room):
        world = World.objects.create(agent=agent, name="Sea")
        Room.objects.filter(pk=room.pk).update(world_id=world.pk)
        assert page(room) not in text_of(browse(staff("core_tables.view_world")).get(page(world)))

    def test_escapes_what_agents_wrote(self, client, agent):
        world = World.objects.create(agent=agent, name=HOSTILE, metadata={HOSTILE: HOSTILE})
        Room.objects.create(agent=agent, source="x", type="DM", name=HOSTILE, world_id=world.pk)
        for address in (page(world), reverse("admin:core_tables_world_changelist")):
            assert HOSTILE not in text_of(client.get(address))

    def test_as_many_queries_for_100_000_as_for_10(self, client, agent):
        insert = "INSERT INTO worlds (name, agent_id) SELECT 'w', %s FROM generate_series(1, %s) AS n"
        address = reverse("admin:core_tables_world_changelist")
        many(insert, agent.pk, 10)
        few = len(queries(client, address))
        many(insert, agent.pk, 100_000)
        assert len(queries(client, address)) == few


class TestByRoom:
    @pytest.mark.usefixtures("room")
    def test_is_not_in_the_index(self, client):
        index = text_of(client.get(reverse("admin:index")))
        assert reverse("admin:core_tables_room_changelist") in index
        for model in ("message", "participant"):
            assert reverse(f"admin:core_tables_{model}_changelist") not in index

    @pytest.mark.parametrize("query", ["", "?room="])
    def test_without_a_room_the_list_is_empty_and_asks_for_no_message(self, client, room, query):
        Message.objects.create(room=room, content="Hi")
        address = reverse("admin:core_tables_message_changelist")
        response = client.get(f"{address}{query}", follow=True)
        assert "0 messages" in text_of(response)
        assert "are listed from the page of the room" in text_of(response)

    def test_lists_the_messages_of_a_room_the_newest_first(self, client, room, entity):
        now = timezone.now()
        for minutes, text in ((2, "said first"), (1, "said last")):
            at = now - datetime.timedelta(minutes=minutes)
            Message.objects.create(room=room, content=text, author=entity, created_at=at)
        shown = text_of(client.get(of("message", room)))
        assert shown.index("said last") < shown.index("said first")
        assert "Grace" in shown

    def test_other_rooms_are_out_of_it(self, client, agent, room):
        other = Room.objects.create(agent=agent, source="x", type="DM")
        Message.objects.create(room=other, content="elsewhere")
        assert "elsewhere" not in text_of(client.get(of("message", room)))

    def test_as_many_queries_for_100_000_messages_as_for_10(self, client, room):
        messages(room, 10)
        few = len(queries(client, of("message", room)))
        messages(room, 100_000)
        asked = queries(client, of("message", room))
        assert len(asked) == few
        (ids,) = [one["sql"] for one in asked if one["sql"].endswith("LIMIT 50")]
        assert "messages_room_created_idx" in plan(ids)

    @pytest.mark.parametrize("value", ["nonsense", "0", str(uuid.UUID(int=0))])
    @pytest.mark.usefixtures("room")
    def test_a_room_that_is_none_fails_nothing(self, client, value):
        address = reverse("admin:core_tables_message_changelist")
        assert "0 messages" in text_of(client.get(address, {"room": value}, follow=True))


def plan(sql):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql.replace('%', '%%')}", [])
        return "\n".join(line for (line,) in cursor.fetchall())


class TestMessage:
    def test_fields_are_read_by_viewers_and_edited_with_the_right(self, viewer, client, room, entity):
        message = Message.objects.create(room=room, author=entity, content=HOSTILE, raw_message={HOSTILE: HOSTILE})
        shown = text_of(viewer.get(page(message)))
        assert ESCAPED in shown
        assert HOSTILE not in shown
        assert 'name="content"' not in shown
        assert f"{page(room, 'transcript')}?message={message.pk}" in shown
        fields = {"content": "edited", "room": str(room.pk), "raw_message": "null", "metadata": "{}"}
        assert client.post(page(message), fields).status_code == 302
        message.refresh_from_db()
        assert message.content == "edited"
        assert LogEntry.objects.get().object_id == str(message.pk)
        assert LogEntry.objects.get().object_repr == f"message {message.pk}"

    def test_deleting_an_author_keeps_the_message_readable(self, client, room, agent):
        author = Entity.objects.create(agent=agent, names=["Gone"])
        message = Message.objects.create(room=room, author=author, content="Hi")
        author.delete()
        assert "Hi" in text_of(client.get(page(message)))
