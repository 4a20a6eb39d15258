"""The list of memories: its columns, filters and search."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core_tables.models import Agent, Entity, Memory, Room
from tests.admin import many
from tests.admin.visits import HOSTILE, LIST, page, queries, text_of
from tests.core_tables import embedding
from tests.core_tables.vectors import vector


class TestList:
    @pytest.mark.usefixtures("memory")
    def test_shows_the_text_and_the_names_of_what_it_belongs_to(self, client):
        shown = text_of(client.get(LIST))
        for part in ("The engine hums.", "facts", "Ada", "lab", "Grace", "384 · arc"):
            assert part in shown

    def test_has_the_newest_first(self, client, agent):
        now = timezone.now()
        for age, words in ((2, "second"), (1, "first"), (3, "third")):
            Memory.objects.add(words, agent=agent, type="facts", created_at=now - datetime.timedelta(hours=age))
        shown = text_of(client.get(LIST))
        assert shown.index("first</a>") < shown.index("second</a>") < shown.index("third</a>")

    @pytest.mark.parametrize("content", [{}, {"text": None}, {"text": ["a"]}, {"text": ""}, {"text": 5}])
    def test_shows_contents_of_any_form(self, client, agent, content):
        Memory.objects.create(agent=agent, type="facts", content=content)
        assert client.get(LIST).status_code == 200

    def test_escapes_what_agents_wrote(self, client):
        agent = Agent.objects.create(name=HOSTILE)
        room = Room.objects.create(agent=agent, name=HOSTILE, source=HOSTILE, type=HOSTILE)
        entity = Entity.objects.create(agent=agent, names=[HOSTILE])
        written = Memory.objects.add(
            {"text": HOSTILE}, agent=agent, room=room, entity=entity, type=HOSTILE, vector=vector(1), model=HOSTILE
        )
        for address in (LIST, f"{LIST}?room={room.pk}&entity={entity.pk}&agent={agent.pk}", page(written)):
            assert "<script>alert" not in text_of(client.get(address))

    def test_asks_as_much_for_a_hundred_thousand_as_for_ten(self, client, agent, room, entity):
        many.memories(agent, room, entity, 10)
        few = queries(client, LIST)
        many.memories(agent, room, entity, 100_000)
        many.analyzed()
        assert len(queries(client, LIST)) == len(few)
        filtered = f"{LIST}?agent={agent.pk}&room={room.pk}&type=facts&embedding=no&expiry=live"
        assert len(queries(client, filtered)) <= len(few) + 3

    @pytest.mark.usefixtures("memory")
    def test_loads_no_vector_and_no_whole_content(self, client):
        asked = " ".join(query["sql"] for query in queries(client, LIST))
        assert '"dim_384" IS NOT NULL' in asked
        assert '"dim_384",' not in asked
        assert '"content",' not in asked
        assert '"settings"' not in asked

    def test_says_where_it_stops_counting(self, client, agent, room, entity):
        many.memories(agent, room, entity, 5_001)
        assert "There may be more than these 5,000" in text_of(client.get(LIST))

    @pytest.mark.usefixtures("memory")
    def test_cannot_be_sorted_by_what_no_index_has(self, client):
        with CaptureQueriesContext(connection) as asked:
            client.get(f"{LIST}?o=3.4")
        assert not any('ORDER BY "agents"' in query["sql"] for query in asked)


class TestFilters:
    @pytest.fixture
    def others(self, memory):  # noqa: ARG002
        other = Agent.objects.create(name="Bob")
        place = Room.objects.create(agent=other, source="irc", type="GROUP", name="attic")
        who = Entity.objects.create(agent=other, names=["Linus"])
        past = timezone.now() - datetime.timedelta(days=9)
        return Memory.objects.add(
            "Elsewhere.", agent=other, room=place, entity=who, type="notes", expires_at=past, created_at=past
        )

    @pytest.mark.parametrize("name", ["agent", "room", "entity"])
    @pytest.mark.usefixtures("memory")
    def test_by_a_row_it_belongs_to(self, client, others, name):
        shown = text_of(client.get(f"{LIST}?{name}={getattr(others, name).pk}"))
        assert "Elsewhere." in shown
        assert "The engine hums." not in shown

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("type=facts", True),
            ("type=notes", False),
            ("embedding=yes", True),
            ("embedding=no", False),
            ("expiry=live", True),
            ("expiry=expired", False),
            ("created_at__gte=2100-01-01+00:00:00%2B00:00", None),
        ],
    )
    @pytest.mark.usefixtures("memory", "others")
    def test_by_what_it_is(self, client, query, found):
        shown = text_of(client.get(f"{LIST}?{query}"))
        assert ("The engine hums." in shown) is (found is True)
        assert ("Elsewhere." in shown) is (found is False)

    @pytest.mark.usefixtures("memory", "others")
    def test_offer_the_types_that_there_are(self, client):
        shown = text_of(client.get(LIST))
        assert "?type=facts" in shown
        assert "?type=notes" in shown

    def test_offer_the_rooms_of_the_chosen_agent(self, client, memory, others):
        shown = text_of(client.get(f"{LIST}?agent={others.agent_id}"))
        assert f"room={others.room_id}" in shown
        assert f"room={memory.room_id}" not in shown

    @pytest.mark.usefixtures("memory")
    def test_name_a_chosen_row_that_is_not_offered(self, client, agent):
        empty = Room.objects.create(agent=agent, source="irc", type="GROUP", name="cellar")
        assert "cellar" in text_of(client.get(f"{LIST}?room={empty.pk}"))

    @pytest.mark.parametrize("query", ["agent=1", "room=%27", "entity=x", "content__text=a", "metadata__a=b"])
    def test_refuse_what_is_no_filter(self, client, query):
        response = client.get(f"{LIST}?{query}")
        assert response.status_code in (302, 400)


class TestSearch:
    @pytest.mark.usefixtures("memory")
    def test_finds_words_and_shows_their_rank(self, client, agent):
        Memory.objects.add("Nothing of the kind.", agent=agent, type="facts")
        shown = text_of(client.get(f"{LIST}?q=engine"))
        assert "The engine hums." in shown
        assert "Nothing of the kind." not in shown
        assert "column-rank" in shown

    @pytest.mark.usefixtures("memory")
    def test_keeps_to_the_filters(self, client):
        assert "The engine hums." not in text_of(client.get(f"{LIST}?q=engine&type=notes"))

    def test_finds_an_id(self, client, memory, agent):
        Memory.objects.add("Another.", agent=agent, type="facts")
        shown = text_of(client.get(f"{LIST}?q={memory.pk}"))
        assert "The engine hums." in shown
        assert "Another." not in shown

    def test_has_its_own_order(self, client, agent):
        for words in ("engine among many other words of no interest at all", "engine engine engine", "engine and oil"):
            Memory.objects.add(words, agent=agent, type="facts")
        shown = text_of(client.get(f"{LIST}?q=engine"))
        assert shown.index("engine engine engine") < shown.index("engine and oil") < shown.index("engine among")

    @pytest.mark.parametrize(("by", "column"), [("meaning", "similarity"), ("both", "score")])
    @pytest.mark.usefixtures("embedder")
    def test_goes_by_meaning(self, client, agent, by, column):
        for words in ("The engine hums.", "Rain."):
            Memory.objects.add(words, agent=agent, type="facts", vector=embedding.vector(words))
        shown = text_of(client.get(f"{LIST}?q=The+engine+hums.&by={by}"))
        assert f"column-{column}" in shown
        assert shown.index("The engine hums.</a>") < shown.index("Rain.</a>")

    @pytest.mark.usefixtures("embedder")
    def test_offers_meaning_only_with_an_embedder(self, client, settings):
        assert 'id="search-by"' in text_of(client.get(LIST))
        settings.AGENTSQL = {}
        assert 'id="search-by"' not in text_of(client.get(LIST))

    @pytest.mark.usefixtures("embedder")
    def test_keeps_the_way_once_in_its_form(self, client):
        shown = text_of(client.get(f"{LIST}?q=a&by=both"))
        assert 'name="by"' in shown
        assert shown.count('name="by"') == 1
        assert '<option value="both" selected>' in shown

    @pytest.mark.usefixtures("memory")
    def test_says_that_there_is_no_embedder(self, client, settings):
        settings.AGENTSQL = {}
        shown = text_of(client.get(f"{LIST}?q=engine&by=meaning"))
        assert "AGENTSQL[&quot;EMBEDDER&quot;] is not set" in shown

    @pytest.mark.usefixtures("memory")
    def test_keeps_what_a_service_says_to_the_log(self, client, settings, caplog):
        settings.AGENTSQL = {"EMBEDDER": "tests.core_tables.embedding.failing"}
        shown = text_of(client.get(f"{LIST}?q=bad&by=meaning"))
        assert "The embedder raised ConnectionError" in shown
        assert "no route" not in shown
        assert "no route" in caplog.text

    @pytest.mark.parametrize("query", ["%00", "'", "%25", "a%20%26%20!", "☃", "-", '"', "x" * 3000])
    @pytest.mark.usefixtures("memory")
    def test_survives_any_query(self, client, query):
        assert client.get(f"{LIST}?q={query}").status_code == 200

    def test_asks_as_much_for_many(self, client, agent, room, entity):
        many.memories(agent, room, entity, 10)
        few = queries(client, f"{LIST}?q=engine")
        many.memories(agent, room, entity, 20_000)
        many.analyzed()
        assert len(queries(client, f"{LIST}?q=engine")) == len(few)
