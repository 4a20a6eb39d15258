import uuid

import pytest
from django.db import connection

from core_tables.exceptions import InvalidContent, WrongAgent
from core_tables.models import Agent, Component, Entity, Participant, Room, World
from tests.core_tables.asked import asking
from tests.core_tables.together import together


def usual(rows):
    return [entity.names[0] for entity in rows]


@pytest.mark.usefixtures("store")
class TestLists:
    def test_components_come_in_one_more_query(self, agent, room, entity):
        for kind in ("profile", "wallet", "mood"):
            Component.objects.put(entity, kind, {"is": kind}, agent=agent, room=room)
        with asking(2):
            found = Entity.objects.with_components("profile", "mood").get(pk=entity.pk)
            assert [component.type for component in found.components.all()] == ["profile", "mood"]
        assert len(Entity.objects.with_components().get().components.all()) == 3

    def test_those_in_a_room(self, agent, room, entity):
        Entity.objects.create(agent=agent)
        Participant.objects.join(room, entity)
        assert list(Entity.objects.in_room(room)) == list(agent.entities.in_room(room.pk)) == [entity]

    def test_exact_names_are_found_by_the_index(self, agent):
        Entity.objects.bulk_create(Entity(agent=agent, names=[f"n{n}", "x"]) for n in range(2000))
        assert usual(Entity.objects.named("n7")) == ["n7"]
        assert sorted(usual(Entity.objects.named("n7", "n8"))) == ["n7", "n8"]
        assert not Entity.objects.named("N7").exists()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        assert "entities_names_gin" in Entity.objects.named("n7").explain()


@pytest.mark.usefixtures("store")
class TestSearchNames:
    def test_the_closest_comes_first(self, agent):
        for names in (["Joanna"], ["Ann Lee"], ["Marianne"], ["Bob", "ANN"], ["Zed"], ["Carl", "Annabel"]):
            Entity.objects.create(agent=agent, names=names)
        assert usual(Entity.objects.search_names("ann")) == ["Bob", "Ann Lee", "Carl", "Joanna", "Marianne"]

    @pytest.mark.parametrize("text", ["%", "_", "\\", "a_b", "100%", "'", '"', "{", ",", "é"])
    def test_nothing_is_a_wildcard(self, agent, text):
        Entity.objects.create(agent=agent, names=[f"x{text}y"])
        Entity.objects.create(agent=agent, names=["acb plain 1000"])
        Entity.objects.create(agent=agent)
        assert usual(Entity.objects.search_names(text)) == [f"x{text}y"]

    def test_it_does_not_reach_from_one_name_into_the_next(self, agent):
        Entity.objects.create(agent=agent, names=["ab", "cd"])
        assert not Entity.objects.search_names("bc").exists()

    def test_it_chains(self, agent):
        Entity.objects.create(agent=Agent.objects.create(name="Eve"), names=["Ann"])
        assert not agent.entities.search_names("ann").exists()
        assert Entity.objects.search_names("ann").count() == 1


@pytest.mark.usefixtures("store")
class TestEnsure:
    def test_made_once_and_names_added(self, agent):
        key = uuid.uuid4()
        made = Entity.objects.ensure(id=key, agent=agent, names=["Ada", "ada"])
        assert made[1]
        entity, new = Entity.objects.ensure(id=key, agent=agent.pk, names=["Countess", "Ada"])
        assert not new
        assert entity.names == Entity.objects.get().names == ["Ada", "ada", "Countess"]
        with asking(1):
            Entity.objects.ensure(id=key, agent=agent, names=["ada"])

    def test_ids_may_be_text(self, agent, entity):
        found = Entity.objects.ensure(id=str(entity.pk), agent=str(agent.pk), names=["G"])
        assert found == (entity, False)
        assert found[0].agent == agent

    def test_an_id_belongs_to_one_agent(self, entity):
        eve = Agent.objects.create(name="Eve")
        for rows in (Entity.objects, eve.entities):
            with pytest.raises(WrongAgent, match=str(entity.pk)):
                rows.ensure(id=entity.pk, agent=eve, names=["x"])
        entity.refresh_from_db()
        assert entity.names == ["Grace"]

    def test_names_are_several_texts(self, agent):
        for wrong in ("Grace", b"Grace", [["Grace"]], [5], [None]):
            with pytest.raises(TypeError, match=r"^Names (are|have)"):
                Entity.objects.ensure(id=uuid.uuid4(), agent=agent, names=wrong)
        with pytest.raises(TypeError, match=r"^Names have"):
            Entity.objects.named(["Grace"])
        with pytest.raises(TypeError, match=r"^Types have"):
            Entity.objects.with_components(["profile"])
        for name in ("a\0", "\ud800"):
            with pytest.raises(InvalidContent, match=r"field names of the entity"):
                Entity.objects.ensure(id=uuid.uuid4(), agent=agent, names=["fine", name])
        assert not Entity.objects.exists()


@pytest.mark.usefixtures("store")
class TestComponents:
    def test_put_replaces_what_was_there(self, agent, room, entity):
        first = Component.objects.put(entity, "profile", {"a": 1}, agent=agent, room=room)
        again = Component.objects.put(entity.pk, "profile", {"b": 2}, agent=agent.pk, room=room.pk)
        assert again == first
        assert Component.objects.of(entity, "profile").get().data == {"b": 2}

    def test_world_and_source_make_another(self, agent, room, entity):
        world = World.objects.create(agent=agent, name="w")
        other = Entity.objects.create(agent=agent)
        places = [{}, {"world": world}, {"source_entity": other}, {"world": world.pk, "source_entity": other.pk}]
        for place in places * 2:
            Component.objects.put(entity, "profile", {"n": len(place)}, agent=agent, room=room, **place)
        assert Component.objects.of(entity).count() == 4
        assert Component.objects.of(entity, "profile").get().data == {"n": 0}
        assert Component.objects.of(entity, "profile", world=world).delete()[0] == 1
        assert Component.objects.of(entity, "profile", world=world, source_entity=other).exists()

    @pytest.mark.parametrize(("kind", "data"), [("a\0", {}), ("a", {"x": "\0"}), ("a", {"x": float("nan")})])
    def test_what_postgresql_has_no_text_for(self, agent, room, entity, kind, data):
        with pytest.raises(InvalidContent, match=r"field (type|data) of the component"):
            Component.objects.put(entity, kind, data, agent=agent, room=room)
        assert not Component.objects.exists()

    def test_an_entity_that_is_not_there(self, agent, room):
        with pytest.raises(Entity.DoesNotExist):
            Component.objects.put(uuid.uuid4(), "profile", {}, agent=agent, room=room)


@pytest.mark.usefixtures("committed_store")
class TestAtOnce:
    def test_names_are_not_lost(self, agent):
        key = uuid.uuid4()
        made = together(lambda n: Entity.objects.ensure(id=key, agent=agent, names=[f"n{n}"])[1], range(16))
        assert sum(made) == 1
        assert sorted(Entity.objects.get().names) == sorted(f"n{n}" for n in range(16))

    def test_a_component_is_put_once(self, agent, room, entity):
        def put(n):
            return Component.objects.put(entity, "profile", {"n": n}, agent=agent, room=room)

        assert len({component.pk for component in together(put, range(16))}) == 1
        assert Component.objects.count() == 1

    def test_putting_keeps_nobody_from_pointing_to_the_entity(self, agent, room, entity):
        from django.db import transaction

        def join(_):
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
            return Participant.objects.join(Room.objects.create(agent=agent, source="x", type="DM"), entity)

        with transaction.atomic():
            Component.objects.put(entity, "profile", {}, agent=agent, room=room)
            assert together(join, range(2)) == [1, 1]
