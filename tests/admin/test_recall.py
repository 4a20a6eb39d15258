"""The recall debugger."""

import datetime
import json
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from core_tables.models import Memory
from tests.admin import many
from tests.core_tables import embedding
from tests.core_tables.vectors import at, vector

RECALL = reverse("admin:core_tables_memory_recall")
LIST = reverse("admin:core_tables_memory_changelist")


def ask(client, **query):
    return client.get(RECALL, query)


def rows(response):
    return {line.text: line for line in response.context["lines"]}


@pytest.fixture
def none(settings):
    settings.AGENTSQL = {}


@pytest.fixture
def memories(agent, room):
    """The engine, and what lies at 10 and at 60 degrees from it."""
    return [
        Memory.objects.add(words, agent=agent, room=room, type="facts", vector=at(degrees))
        for words, degrees in (("The engine hums.", 0), ("A motor.", 10), ("engine oil", 60))
    ]


class TestSearching:
    @pytest.mark.usefixtures("memories")
    def test_shows_ranks_similarity_and_score_of_both_arms(self, client):
        response = ask(client, q="engine", vector=json.dumps(vector(1)), arms="both", exact="on")
        found = rows(response)
        assert found["The engine hums."].place == 1
        assert found["The engine hums."].vector == (1, pytest.approx(1))
        assert found["A motor."].vector[0] == 2
        assert found["A motor."].words is None
        assert found["engine oil"].words[0] in (1, 2)
        shown = response.content.decode()
        for part in ("The engine hums.", "1.0000", "words that count", "1.00", " ms"):
            assert part in shown
        assert response.context["explanation"].recall == 1

    @pytest.mark.usefixtures("memories", "none")
    def test_by_words_only(self, client):
        response = ask(client, q="engine")
        assert set(rows(response)) == {"The engine hums.", "engine oil"}
        assert [arm.name for arm in response.context["explanation"].arms] == ["text"]

    def test_by_the_vector_of_a_memory(self, client, memories):
        response = ask(client, memory=memories[1].pk, arms="vector")
        assert next(iter(rows(response))) == "A motor."

    @pytest.mark.usefixtures("embedder")
    def test_by_what_the_embedder_makes_of_the_query(self, client, agent):
        Memory.objects.add("rain", agent=agent, type="facts", vector=embedding.vector("where?"))
        response = ask(client, q="where?", arms="vector")
        assert rows(response)["rain"].vector == (1, pytest.approx(1))

    @pytest.mark.usefixtures("embedder")
    def test_by_both_where_there_is_an_embedder_and_nothing_else_is_said(self, client, agent):
        Memory.objects.add("rain", agent=agent, type="facts", vector=embedding.vector("rain"))
        line = rows(ask(client, q="rain"))["rain"]
        assert line.vector
        assert line.words

    @pytest.mark.usefixtures("memories")
    def test_shows_what_the_common_order_left_out(self, client):
        response = ask(client, q="oil", vector=json.dumps(vector(1)), arms="both", limit=1, vector_weight=0)
        found = rows(response)
        assert (found["engine oil"].place, found["engine oil"].words[0]) == (1, 1)
        assert found["The engine hums."].place is None
        assert found["The engine hums."].vector[0] == 1

    def test_weighs_youth_and_importance(self, client, agent):
        now = timezone.now()
        Memory.objects.add("engine one", agent=agent, type="facts", metadata={"importance": 10})
        Memory.objects.add("engine two", agent=agent, type="facts", created_at=now - datetime.timedelta(days=99))
        Memory.objects.filter(metadata__importance=10).update(created_at=now - datetime.timedelta(days=200))
        assert next(iter(rows(ask(client, q="engine", arms="text", importance=9)))) == "engine one"
        assert next(iter(rows(ask(client, q="engine", arms="text", recency=9, half_life=30)))) == "engine two"

    @pytest.mark.parametrize(
        ("name", "value"),
        [("type", "notes"), ("agent", uuid.uuid4()), ("since", "2100-01-01T00:00"), ("until", "2000-01-01")],
    )
    @pytest.mark.usefixtures("memories")
    def test_keeps_to_the_filters(self, client, name, value):
        assert not rows(ask(client, q="engine", arms="text", **{name: value}))

    @pytest.mark.usefixtures("memories")
    def test_looks_at_expired_ones_if_asked(self, client):
        Memory.objects.update(expires_at=timezone.now() - datetime.timedelta(days=1))
        assert not rows(ask(client, q="engine", arms="text"))
        assert rows(ask(client, q="engine", arms="text", expired="on"))

    @pytest.mark.usefixtures("memories")
    def test_says_when_nothing_was_found(self, client):
        assert "No memory was found." in ask(client, q="nothing", arms="text").content.decode()

    def test_goes_along_the_index_of_a_long_table(self, client, agent, room, entity):
        many.memories(agent, room, entity, 2_500)
        many.embeddings(2_500)
        many.analyzed()
        response = ask(client, memory=Memory.objects.first().pk, arms="vector", exact="on")
        assert response.context["explanation"].arms[0].plan == "index"
        assert response.context["explanation"].recall >= 0.9


class TestForm:
    @pytest.mark.parametrize(
        ("field", "query", "error"),
        [
            ("vector", {"vector": "[1, 2]"}, "No column takes a vector of 2 numbers"),
            ("vector", {"vector": '{"a": 1}'}, "A vector is a list"),
            ("vector", {"vector": json.dumps(["a"] * 384)}, "holds numbers"),
            ("vector", {"vector": json.dumps([0] * 384)}, "has no cosine"),
            ("vector", {"vector": json.dumps([10**400] * 384)}, "out of the range"),
            ("vector", {"vector": "[" * 50_000}, "can't be read"),
            ("vector", {"vector": "["}, "Enter a valid JSON."),
            ("memory", {"memory": "x", "arms": "vector"}, "Enter a valid UUID."),
            ("memory", {"memory": str(uuid.uuid4()), "arms": "vector"}, "There is no memory"),
            ("arms", {"q": "rain", "arms": "both"}, "There is no embedder"),
            ("arms", {"q": "rain", "arms": "x"}, "Select a valid choice."),
            ("q", {"q": " ", "type": "facts"}, "Write what to search for."),
            ("q", {"type": "facts", "arms": "vector"}, "Write what to search for"),
            ("limit", {"q": "rain", "limit": "0"}, "greater than or equal to 1"),
            ("limit", {"q": "rain", "limit": "1000000"}, "less than or equal to 100"),
            ("k", {"q": "rain", "k": "nan"}, "Enter a number."),
            ("k", {"q": "rain", "k": "-1"}, "greater than or equal to 0"),
            ("half_life", {"q": "rain", "half_life": "0"}, "greater than or equal to 0.001"),
            ("since", {"q": "rain", "since": "yesterday"}, "Enter a valid date/time."),
            ("agent", {"q": "rain", "agent": "'"}, "Enter a valid UUID."),
            ("q", {"q": "\0"}, "Null characters are not allowed."),
        ],
    )
    @pytest.mark.usefixtures("memories", "none")
    def test_tells_what_is_wrong_where_it_is(self, client, field, query, error):
        response = ask(client, **query)
        assert response.status_code == 200
        assert error in " ".join(response.context["form"].errors[field])
        assert "lines" not in response.context

    def test_tells_that_the_embedder_failed(self, client, settings):
        settings.AGENTSQL = {"EMBEDDER": "tests.core_tables.embedding.failing"}
        assert "ConnectionError" in str(ask(client, q="bad", arms="vector").context["form"].errors["q"])

    def test_takes_a_memory_or_a_vector(self, client, memories):
        response = ask(client, memory=memories[0].pk, vector=json.dumps(vector(1)), arms="vector")
        assert "not both" in str(response.context["form"].errors["memory"])

    def test_shows_the_values_that_were_used(self, client, settings):
        settings.AGENTSQL = {}
        shown = ask(client, q="rain").content.decode()
        assert '<option value="text" selected>' in shown
        assert 'name="limit" value="10"' in shown
        assert ">null<" not in shown

    def test_starts_empty_with_the_usual_values(self, client):
        shown = client.get(RECALL).content.decode()
        assert 'name="k" value="60.0"' in shown
        assert "errornote" not in shown

    @pytest.mark.parametrize("scale", [1e-4, 1e6])
    @pytest.mark.usefixtures("none")
    def test_takes_wide_vectors_of_any_length(self, client, scale):
        response = ask(client, vector=json.dumps([scale, *[0.0] * 3071]), arms="vector")
        assert not response.context["form"].errors

    def test_shows_every_field(self, client):
        form = client.get(RECALL).context["form"]
        assert sorted(field.name for _, _, fields in form.groups() for field in fields) == sorted(form.fields)

    @pytest.mark.usefixtures("memories")
    def test_escapes_what_it_was_asked(self, client):
        shown = ask(client, q="<script>alert(1)", vector="<script>alert(1)", type="<script>alert(1)").content.decode()
        assert "<script>alert" not in shown

    def test_escapes_what_it_found(self, client, agent):
        Memory.objects.add("engine <script>alert(1)", agent=agent, type="<script>alert(1)")
        assert "<script>alert" not in ask(client, q="engine", arms="text").content.decode()


class TestPermissions:
    @pytest.mark.usefixtures("memories")
    def test_is_for_those_who_may_see_memories(self, staff, browse):
        assert browse(staff("core_tables.view_agent")).get(RECALL).status_code == 403
        assert browse(staff("core_tables.view_memory")).get(RECALL, {"q": "engine"}).status_code == 200

    def test_is_linked_from_the_list_and_the_index(self, client):
        index = reverse("admin:app_list", args=["core_tables"])
        assert RECALL in client.get(LIST).content.decode()
        assert RECALL in client.get(index).content.decode()

    def test_is_not_linked_for_those_who_may_not(self, staff, browse):
        index = reverse("admin:app_list", args=["core_tables"])
        assert RECALL not in browse(staff("core_tables.view_agent")).get(index).content.decode()
