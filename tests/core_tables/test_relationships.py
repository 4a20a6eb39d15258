import pytest
from django.db import connection, transaction

from core_tables.exceptions import InvalidContent
from core_tables.models import Agent, Entity, Relationship
from tests.core_tables.asked import asking
from tests.core_tables.together import together


@pytest.fixture
def people(agent):
    return Entity.objects.bulk_create(Entity(agent=agent, names=[f"p{n}"]) for n in range(8))


@pytest.mark.usefixtures("store")
class TestRelate:
    def test_tags_unite_and_metadata_merges(self, agent, people):
        a, b, *_ = people
        with asking(1):
            made = Relationship.objects.relate(a, b, agent=agent, tags=["friend", "met", "friend"], metadata={"x": 1})
        assert (made.tags, made.metadata, made.source_entity, made.target_entity) == (["friend", "met"], {"x": 1}, a, b)
        same = Relationship.objects.relate(a.pk, b.pk, agent=agent.pk, tags=("work", "met"), metadata={"y": 2})
        assert same == made == Relationship.objects.get()
        assert (same.tags, same.metadata) == (["friend", "met", "work"], {"x": 1, "y": 2})
        assert same.updated_at > same.created_at

    def test_direction_and_agent_make_another(self, agent, people):
        a, b, *_ = people
        eve = Agent.objects.create(name="Eve")
        for source, target, owner in [(a, b, agent), (b, a, agent), (a, b, eve)]:
            Relationship.objects.relate(source, target, agent=owner)
        assert Relationship.objects.count() == 3
        assert Relationship.objects.filter(agent=agent).of(b).count() == 2

    def test_what_others_left_empty_is_filled(self, agent, people):
        a, b, *_ = people
        Relationship.objects.create(source_entity=a, target_entity=b, agent=agent, tags=None, metadata=None)
        row = Relationship.objects.relate(a, b, agent=agent, tags=["x"], metadata={"y": 1})
        assert (row.tags, row.metadata) == (["x"], {"y": 1})
        Relationship.objects.filter(pk=row.pk).update(metadata=None, tags=None)
        assert Relationship.objects.relate(a, b, agent=agent).tags == []

    def test_a_name_of_the_constraint_does_not_matter(self, agent, people):
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE relationships RENAME CONSTRAINT unique_relationship TO another_name")
        for _ in range(2):
            Relationship.objects.relate(people[0], people[1], agent=agent)
        assert Relationship.objects.count() == 1

    def test_tags_are_several_texts(self, agent, people):
        a, b, *_ = people
        for wrong in ("friend", b"friend", [5], [["friend"]]):
            with pytest.raises(TypeError, match=r"^Tags (are|have)"):
                Relationship.objects.relate(a, b, agent=agent, tags=wrong)
        with pytest.raises(TypeError, match=r"^Tags have"):
            Relationship.objects.tagged(["friend"])
        for fields in ({"tags": ["a\0"]}, {"metadata": {"a": "\ud800"}}):
            with pytest.raises(InvalidContent, match=r"field (tags|metadata) of the relationship"):
                Relationship.objects.relate(a, b, agent=agent, **fields)
        assert not Relationship.objects.exists()


@pytest.fixture
def without_constraint(committed_store):
    """As an adopted table may be."""
    name, columns = "unique_relationship", "(source_entity_id, target_entity_id, agent_id)"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE relationships DROP CONSTRAINT {name}")
        yield
        cursor.execute("DELETE FROM relationships")
        cursor.execute(f"ALTER TABLE relationships ADD CONSTRAINT {name} UNIQUE {columns}")


@pytest.mark.usefixtures("store")
class TestGraph:
    @pytest.fixture
    def chain(self, agent, people):
        """0 -> 1 <- 2 -> 3 -> 4, 0 <-> 5, and 6 by itself."""
        for source, target in [(0, 1), (2, 1), (2, 3), (3, 4), (0, 5), (5, 0), (6, 6)]:
            Relationship.objects.relate(people[source], people[target], agent=agent, tags=[f"{source}{target}"])
        return [person.pk for person in people]

    @pytest.mark.usefixtures("chain")
    def test_tagged(self):
        assert {row.tags[0] for row in Relationship.objects.tagged("01", "34", "none")} == {"01", "34"}

    def test_neighbours_by_their_distance(self, chain):
        found = Relationship.objects.neighbours
        with asking(2):
            assert found(chain[0]) == {chain[1]: 1, chain[5]: 1, chain[2]: 2}
        assert found(chain[0], depth=9) == {chain[n]: d for n, d in [(1, 1), (5, 1), (2, 2), (3, 3), (4, 4)]}
        assert found(str(chain[0]), depth=1) == {chain[1]: 1, chain[5]: 1}
        assert found(chain[6]) == found(chain[7]) == found(chain[0], depth=0) == {}

    def test_the_cap_holds_and_the_nearest_win(self, chain):
        for limit in range(6):
            found = Relationship.objects.neighbours(chain[0], depth=9, limit=limit)
            assert list(found.values()) == [1, 1, 2, 3, 4][:limit]

    @pytest.mark.usefixtures("chain")
    def test_several_ways_to_one_entity_take_one_place(self, agent, people):
        for middle in people[1:4]:
            Relationship.objects.relate(middle, people[7], agent=agent)
            Relationship.objects.relate(people[7], middle, agent=agent)
        assert len(Relationship.objects.neighbours(people[7], limit=3, depth=1)) == 3

    def test_filters_hold_and_edges_can_be_had(self, chain):
        found = Relationship.objects.tagged("01", "21").neighbours(chain[0], depth=3)
        assert found == {chain[1]: 1, chain[2]: 2}
        edges = Relationship.objects.among(chain[0], *found)
        assert {row.tags[0] for row in edges} == {"01", "21"}


@pytest.mark.parametrize("constrained", [True, False])
def test_relating_at_once_loses_no_tag(request, constrained, committed_store):
    if not constrained:
        request.getfixturevalue("without_constraint")
    agent = Agent.objects.create(name="Ada")
    a, b = (Entity.objects.create(agent=agent) for _ in range(2))

    def relate(n):
        return Relationship.objects.relate(a, b, agent=agent, tags=[f"t{n}"], metadata={str(n): n})

    together(relate, range(16))
    row = Relationship.objects.get()
    assert sorted(row.tags) == sorted(f"t{n}" for n in range(16))
    assert row.metadata == {str(n): n for n in range(16)}


@pytest.mark.usefixtures("without_constraint")
def test_without_the_constraint_what_others_left_empty_is_filled():
    agent = Agent.objects.create(name="Ada")
    a, b = (Entity.objects.create(agent=agent) for _ in range(2))
    with transaction.atomic():
        made = Relationship.objects.relate(str(a.pk), b, agent=agent, tags=["x"])
        Relationship.objects.update(tags=None, metadata=None)
        again = Relationship.objects.relate(a, b.pk, agent=agent, tags=["y"], metadata={"z": 1})
    assert again == made == Relationship.objects.get()
    assert (again.tags, again.metadata) == (["y"], {"z": 1})
