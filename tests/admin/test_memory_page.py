"""The page of a memory, and editing it."""

import datetime
import json
import uuid

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from core_tables.models import Agent, Embedding, Memory, Message
from tests.admin import many
from tests.admin.visits import HOSTILE, page, queries, text_of
from tests.core_tables.vectors import at, vector


class TestPage:
    def test_shows_text_attachments_and_the_rest(self, client, agent):
        content = {"text": "See this.", "attachments": [{"title": "plan.pdf"}], "source": "irc"}
        memory = Memory.objects.add(content, agent=agent, type="facts", metadata={"importance": 7})
        shown = text_of(client.get(page(memory)))
        for part in ("See this.", "plan.pdf", "&quot;source&quot;: &quot;irc&quot;", "&quot;importance&quot;: 7"):
            assert part in shown

    def test_shows_what_is_much_like_it(self, client, memory, agent):
        Memory.objects.add("Nearly so.", agent=agent, type="facts", vector=at(60))
        other = Agent.objects.create(name="Bob")
        Memory.objects.add("Of another agent.", agent=other, type="facts", vector=vector(1))
        shown = text_of(client.get(page(memory)))
        assert "Nearly so." in shown
        assert "0.5000" in shown
        assert "Of another agent." not in shown

    def test_shows_what_was_said_around_it(self, client, memory, room, entity, agent):
        for minutes in (-1, 1):
            moment = memory.created_at + datetime.timedelta(minutes=minutes)
            Memory.objects.add(f"remembered {minutes}", agent=agent, room=room, type="messages", created_at=moment)
            Message.objects.create(room=room, author=entity, content=f"said {minutes}", created_at=moment)
        shown = text_of(client.get(page(memory)))
        around = shown[shown.index("In its room") :]
        for words in ("remembered", "said"):
            assert around.index(f"{words} -1") < around.index("The engine hums.") < around.index(f"{words} 1")

    def test_shows_messages_only_to_those_who_may_see_them(self, viewer, memory, room, entity):
        Message.objects.create(room=room, author=entity, content="between us")
        assert "between us" not in text_of(viewer.get(page(memory)))

    def test_shows_fragments_and_their_document(self, client, agent):
        document = Memory.objects.add(
            "All.", agent=agent, type="documents", metadata={"type": "document", "timestamp": 1}
        )
        told = {"type": "fragment", "documentId": str(document.pk)}
        for place in (1, 0):
            part = Memory.objects.add(f"part {place}", agent=agent, type="f", metadata={**told, "position": place})
        shown = text_of(client.get(page(document)))
        assert shown.index("part 0") < shown.index("part 1")
        assert page(document) in text_of(client.get(page(part)))

    @pytest.mark.parametrize(
        "content", [[], "words", 5, {"text": {"a": 1}}, {"attachments": "x"}, {"attachments": [1]}]
    )
    def test_shows_contents_of_any_form(self, client, agent, content):
        memory = Memory.objects.create(agent=agent, type="facts", content=content, metadata=[HOSTILE])
        assert "<script>alert" not in text_of(client.get(page(memory)))

    def test_shows_hostile_fragments(self, client, agent):
        document = str(uuid.uuid4())
        for named in (document, "no id", 5, {"a": 1}):
            metadata = {"type": "fragment", "documentId": named, "position": 1}
            memory = Memory.objects.create(agent=agent, type="facts", content={}, metadata=metadata)
            assert client.get(page(memory)).status_code == 200

    def test_asks_as_much_in_a_full_room(self, client, memory, agent, room, entity):
        many.memories(agent, room, entity, 10)
        few = queries(client, page(memory))
        many.memories(agent, room, entity, 20_000)
        many.analyzed()
        # Along the index, a search has a savepoint and settings of its own.
        assert len(queries(client, page(memory))) <= len(few) + 6

    def test_shows_no_secret_of_its_agent(self, client, memory):
        Agent.objects.update(settings={"secrets": {"KEY": "sk-123"}})
        assert "sk-123" not in text_of(client.get(page(memory)))


class TestEditing:
    def data(self, content="{}", metadata="{}"):
        return {"content": content, "metadata": metadata}

    def test_replaces_content_and_metadata(self, client, memory):
        assert client.post(page(memory), self.data('{"text": "It roars."}', '{"a": 1}')).status_code == 302
        memory.refresh_from_db()
        assert (memory.content, memory.metadata) == ({"text": "It roars."}, {"a": 1})
        assert not Embedding.objects.filter(memory=memory).exists()
        assert LogEntry.objects.get().action_flag == 2

    def test_leaves_the_embedding_where_the_words_stay(self, client, memory):
        client.post(page(memory), self.data(json.dumps(memory.content), '{"a": 1}'))
        memory.refresh_from_db()
        assert memory.metadata == {"a": 1}
        assert memory.embedding.model == "arc"

    def test_keeps_what_is_not_edited(self, client, memory, room):
        client.post(page(memory), self.data('{"text": "x"}') | {"type": "y", "room": "", "agent": uuid.uuid4()})
        memory.refresh_from_db()
        assert (memory.type, memory.room) == ("facts", room)

    @pytest.mark.parametrize(
        ("content", "metadata", "error"),
        [
            ("[1]", "{}", "write a JSON object"),
            ('{"text": "\\u0000"}', "{}", "NUL character"),
            ('{"text": "\\ud800"}', "{}", "surrogate"),
            ('{"a": NaN}', "{}", "JSON"),
            ("{", "{}", "Enter a valid JSON."),
            ("[" * 100_000, "{}", "can&#x27;t be read"),
            ("[" + "9" * 10_000 + "]", "{}", "can&#x27;t be read"),
            ('{"text": "x"}', '{"type": "fragment"}', "needs the key documentId"),
            ('{"text": "x"}', '{"type": "document"}', "needs the key timestamp"),
            ('{"text": "x"}', "[1]", "write a JSON object"),
        ],
    )
    def test_tells_what_the_store_refuses(self, client, memory, content, metadata, error):
        response = client.post(page(memory), self.data(content, metadata))
        assert response.status_code == 200
        assert error in text_of(response)
        memory.refresh_from_db()
        assert memory.content == {"text": "The engine hums."}

    def test_tells_of_too_many_words(self, client, memory):
        words = " ".join(f"w{number:06}" for number in range(200_000))
        response = client.post(page(memory), self.data(json.dumps({"text": words})))
        assert "split it into a document and fragments" in text_of(response)

    def test_adds_one(self, client, agent):
        data = self.data('{"text": "New."}') | {"agent": agent.pk, "type": "facts"}
        client.post(reverse("admin:core_tables_memory_add"), data)
        assert Memory.objects.get().content == {"text": "New."}

    def test_is_refused_to_those_who_only_see(self, viewer, memory):
        assert viewer.post(page(memory), self.data('{"text": "x"}')).status_code == 403
        assert 'name="content"' not in text_of(viewer.get(page(memory)))
