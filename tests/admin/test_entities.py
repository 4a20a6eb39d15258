import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core_tables.admin.entities import admin as entities
from core_tables.admin.entities.neighbourhood import NODES, around
from core_tables.models import Agent, Component, Entity, Participant, Relationship, Room

LIST = reverse("admin:core_tables_entity_changelist")
RELATIONSHIPS = reverse("admin:core_tables_relationship_changelist")
COMPONENTS = reverse("admin:core_tables_component_changelist")
HOSTILE = "</title></text><script>alert(1)</script>\"'&"


def page_of(row, name="change"):
    return reverse(f"admin:core_tables_{row._meta.model_name}_{name}", args=[row.pk])


def found(client, text, **params):
    return [entity.names for entity in client.get(LIST, {"q": text, **params}).context["cl"].result_list]


@pytest.fixture
def ada(agent, room, entity):
    """Grace, with something of everything."""
    Participant.objects.join(room, entity)
    Component.objects.create(entity=entity, agent=agent, room=room, type="profile", data={"born": 1906})
    friends = Entity.objects.bulk_create(Entity(agent=agent, names=[name]) for name in ("Howard", "Jean", "Far"))
    Relationship.objects.relate(entity, friends[0], agent=agent, tags=["works with"])
    Relationship.objects.relate(friends[1], entity, agent=agent, tags=["admires", "knows"])
    Relationship.objects.relate(friends[2], friends[1], agent=agent)
    return entity


def test_what_is_known_of_an_entity(ada, client):
    page = client.get(page_of(ada)).content.decode()
    for part in [
        "profile",
        "&quot;born&quot;: 1906",
        ">lab</a>",
        "works with",
        "admires, knows",
        "agent-graph",
        ">Far</text>",
    ]:
        assert part in page
    assert "4 entities and 3 relationships" in page


def test_who_may_only_see_entities_sees_no_more(ada, staff, browse):
    page = browse(staff("core_tables.view_entity")).get(page_of(ada)).content.decode()
    for part in ["profile", "1906", ">lab<", "works with", "agent-graph", "Howard"]:
        assert part not in page


def test_searching_names(agent, client, monkeypatch):
    monkeypatch.setattr(entities, "SEARCHED", 2)
    for names in (["Ann"], ["Anna"], ["Joanna", "Jo"], ["Zoe"]):
        Entity.objects.create(agent=agent, names=names)
    assert found(client, "Ann") == [["Ann"], ["Joanna", "Jo"]]
    assert found(client, "Jo") == [["Joanna", "Jo"]]
    assert found(client, "anna", o="3") == [["Joanna", "Jo"]]
    assert found(client, str(Entity.objects.get(names=["Zoe"]).pk)) == [["Zoe"]]
    assert found(client, "%") == []


def test_searching_among_one_agents(agent, client):
    other = Agent.objects.create(name="Bo")
    Entity.objects.create(agent=other, names=["Ann"])
    assert found(client, "Ann", agent=str(agent.pk)) == []
    assert found(client, "Ann", agent=str(other.pk)) == [["Ann"]]


def test_names_and_tags_come_back_as_they_were(ada, client):
    names = ["Hopper, Grace", "two\nlines", '"quoted"', " spaced "]
    Entity.objects.filter(pk=ada.pk).update(names=names)
    form = client.get(page_of(ada)).context["adminform"].form
    sent = {"names": form["names"].value(), "agent": str(ada.agent_id), "metadata": '{"a": 1}'}
    assert client.post(page_of(ada), sent).status_code == 302
    ada.refresh_from_db()
    assert ada.names == names
    assert ada.metadata == {"a": 1}
    assert client.post(page_of(ada), sent | {"names": "Amazing Grace\nGrace, H.\n"}).status_code == 302
    ada.refresh_from_db()
    assert ada.names == ["Amazing Grace", "Grace, H."]


@pytest.mark.parametrize(
    ("field", "value"), [("names", '"broken'), ("metadata", '{"a": "\\u0000"}'), ("metadata", "{")]
)
def test_what_is_refused_is_told_at_its_field(ada, client, field, value):
    sent = {"names": "Grace", "agent": str(ada.agent_id), "metadata": "{}", field: value}
    assert field in client.post(page_of(ada), sent).context["adminform"].form.errors


def test_a_relationship_is_edited(ada, client):
    row = Relationship.objects.get(source_entity=ada)
    ends = {name: str(getattr(row, f"{name}_id")) for name in ("source_entity", "target_entity", "agent")}
    assert client.post(page_of(row), {**ends, "tags": "boss\nfriend, old", "metadata": ""}).status_code == 302
    row.refresh_from_db()
    assert row.tags == ["boss", "friend, old"]


def test_lists_of_components_and_relationships(ada, client):
    assert "Grace" in client.get(RELATIONSHIPS, {"q": "works with"}).content.decode()
    assert client.get(RELATIONSHIPS, {"q": "works"}).context["cl"].result_count == 0
    assert client.get(RELATIONSHIPS, {"source_entity": str(ada.pk)}).context["cl"].result_count == 1
    assert client.get(COMPONENTS, {"entity": str(ada.pk)}).context["cl"].result_count == 1


def test_view_only_writes_nothing_and_nobody_else_sees_anything(ada, staff, browse):
    viewer = browse(staff("core_tables.view_entity", "core_tables.view_relationship", "core_tables.view_component"))
    rows = [ada, Relationship.objects.first(), Component.objects.first()]
    for row in rows:
        assert viewer.get(page_of(row)).status_code == 200
        assert viewer.post(page_of(row), {}).status_code == 403
        assert viewer.post(page_of(row, "delete"), {"post": "yes"}).status_code == 403
    other = browse(staff())
    assert {other.get(page).status_code for page in [LIST, RELATIONSHIPS, COMPONENTS, *map(page_of, rows)]} == {403}


def test_hostile_content_is_escaped(ada, client):
    Entity.objects.update(names=[HOSTILE])
    Relationship.objects.update(tags=[HOSTILE])
    Component.objects.update(type=HOSTILE, data={HOSTILE: HOSTILE})
    Room.objects.update(name=HOSTILE)
    rows = [ada, Relationship.objects.first(), Component.objects.first()]
    for page in [LIST, RELATIONSHIPS, COMPONENTS, *map(page_of, rows), page_of(ada, "delete")]:
        assert "<script>alert" not in client.get(page).content.decode()


def test_an_entity_that_everybody_is_related_to(agent, entity, client):
    hub = Entity.objects.create(agent=agent, names=["Hub"])
    many = Entity.objects.bulk_create(Entity(agent=agent, names=[f"n{number}"]) for number in range(500))
    Relationship.objects.bulk_create(Relationship(source_entity=one, target_entity=hub, agent=agent) for one in many)
    Relationship.objects.relate(entity, hub, agent=agent)
    near, far = around(hub, "admin"), around(entity, "admin")
    assert (len(near.drawing.nodes), near.more, near.more_incoming) == (NODES + 1, True, True)
    assert (len(far.drawing.nodes), far.more, len(far.outgoing)) == (NODES + 1, True, 1)
    page = client.get(page_of(hub)).content.decode()
    assert "And more: 41 entities are drawn." in page
    assert f"{RELATIONSHIPS}?target_entity={hub.pk}" in page


MANY = """
WITH more AS (INSERT INTO entities (agent_id, names)
              SELECT %(agent)s, ARRAY['n' || n] FROM generate_series(1, %(count)s) AS n RETURNING id),
     joined AS (INSERT INTO relationships (source_entity_id, target_entity_id, agent_id)
                SELECT id, %(entity)s, %(agent)s FROM more),
     known AS (INSERT INTO components (entity_id, agent_id, room_id, type)
               SELECT %(entity)s, %(agent)s, %(room)s, id::text FROM more)
INSERT INTO participants (entity_id, room_id, agent_id) SELECT id, %(room)s, %(agent)s FROM more
"""


def test_pages_ask_as_much_of_many_rows_as_of_ten(ada, agent, room, client):
    def asked():
        pages = [LIST, f"{LIST}?q=n7", page_of(ada), page_of(ada, "delete"), RELATIONSHIPS, COMPONENTS]
        counts = []
        for page in pages:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            counts.append(len(queries))
        return counts

    def make(count):
        params = {"agent": agent.pk, "entity": ada.pk, "room": room.pk, "count": count}
        with connection.cursor() as cursor:
            cursor.execute(MANY, params)
            cursor.execute("ANALYZE entities, relationships, components, participants")

    make(10)
    asked()
    few = asked()
    make(20_000)
    # One fewer where the first step around it has more than is drawn.
    assert [max(pair) for pair in zip(asked(), few, strict=True)] == few
