"""What is done with memories, and by whom."""

import datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core_tables.admin.base import AT_ONCE
from core_tables.models import Memory
from tests.admin import many
from tests.admin.visits import LIST, page, queries, text_of
from tests.core_tables.vectors import vector


class TestActions:
    def act(self, client, action, *memories, address=LIST, **more):
        data = {"action": action, "_selected_action": [memory.pk for memory in memories], **more}
        return client.post(address, data, follow=True)

    def test_expire(self, client, memory, agent):
        past = timezone.now() - datetime.timedelta(days=1)
        gone = Memory.objects.add("Gone.", agent=agent, type="facts", expires_at=past)
        assert "1 memory expired." in text_of(self.act(client, "expire", memory, gone))
        assert Memory.objects.expired().count() == 2
        gone.refresh_from_db()
        assert gone.expires_at == past
        assert LogEntry.objects.get().object_id == str(memory.pk)

    def test_expire_on_the_page(self, client, memory):
        assert 'id="expire"' in text_of(client.get(page(memory)))
        assert client.post(page(memory, "expire")).status_code == 302
        assert Memory.objects.expired().exists()

    @pytest.mark.usefixtures("embedder")
    def test_embed_anew(self, client, memory):
        assert "1 memory embedded anew." in text_of(self.act(client, "embed_anew", memory))
        memory.embedding.refresh_from_db()
        assert memory.embedding.model == "hashed"
        assert LogEntry.objects.get().change_message == "Embedded anew."

    @pytest.mark.usefixtures("embedder")
    def test_embed_anew_more_than_anybody_waits_for(self, client, agent, room, entity):
        many.memories(agent, room, entity, 300)
        shown = text_of(self.act(client, "embed_anew", *Memory.objects.all()[:1], select_across=1))
        assert "256 memories embedded anew." in shown
        assert "44 memories left" in shown

    def test_embed_anew_without_an_embedder(self, client, memory, settings):
        settings.AGENTSQL = {}
        assert 'value="embed_anew"' not in text_of(client.get(LIST))
        assert "No embedder is configured" in text_of(client.post(page(memory, "embed"), follow=True))

    @pytest.mark.usefixtures("embedder", "memory")
    def test_embed_anew_is_offered_with_an_embedder(self, client):
        assert 'value="embed_anew"' in text_of(client.get(LIST))

    def test_are_logged_without_the_words(self, client, memory):
        self.act(client, "expire", memory)
        client.post(page(memory), {"content": '{"text": "The engine roars."}', "metadata": "{}"})
        client.post(page(memory, "delete"), {"post": "yes"})
        assert set(LogEntry.objects.values_list("object_repr", flat=True)) == {f"facts {memory.pk}"}
        assert LogEntry.objects.count() == 3

    def test_embed_anew_with_one_that_fails(self, client, agent, settings):
        settings.AGENTSQL = {"EMBEDDER": "tests.core_tables.embedding.failing"}
        memory = Memory.objects.add("bad", agent=agent, type="facts")
        assert "The embedder raised ConnectionError" in text_of(client.post(page(memory, "embed"), follow=True))
        assert not LogEntry.objects.exists()

    def test_delete_tells_first_what_goes(self, client, agent):
        document = Memory.objects.add("All.", agent=agent, type="d", metadata={"type": "document", "timestamp": 1})
        told = {"type": "fragment", "documentId": str(document.pk)}
        for place in range(3):
            Memory.objects.add(
                f"part {place}", agent=agent, type="f", metadata={**told, "position": place}, vector=vector(1)
            )
        shown = text_of(client.get(page(document, "delete")))
        assert "Fragments of these: 3" in shown
        assert "Embeddings: 3" in shown
        client.post(page(document, "delete"), {"post": "yes"})
        assert not Memory.objects.exists()
        assert LogEntry.objects.get().action_flag == 3

    def test_delete_selected(self, client, memory, agent):
        kept = Memory.objects.add("Kept.", agent=agent, type="facts")
        assert "Memories: 1" in text_of(self.act(client, "delete_selected", memory))
        self.act(client, "delete_selected", memory, post="yes")
        assert list(Memory.objects.all()) == [kept]
        assert LogEntry.objects.get().object_repr == f"facts {memory.pk}"

    def test_delete_looks_at_as_much_for_a_long_document(self, client, agent, room, entity):
        document = Memory.objects.add("All.", agent=agent, type="d", metadata={"type": "document", "timestamp": 1})
        few = queries(client, page(document, "delete"))
        many.memories(agent, room, entity, 6_000)
        Memory.objects.exclude(pk=document.pk).update(
            metadata={"type": "fragment", "documentId": str(document.pk), "position": 1}
        )
        with CaptureQueriesContext(connection) as asked:
            shown = text_of(client.get(page(document, "delete")))
        assert len(asked) == len(few)
        assert "Fragments of these: 5,000 or more" in shown

    def test_on_more_rows_than_anybody_has_seen_are_refused(self, client, agent, room, entity):
        many.memories(agent, room, entity, AT_ONCE + 1)
        one = Memory.objects.first()
        shown = text_of(self.act(client, "expire", one, select_across=1))
        assert "too many for one action" in shown
        assert not Memory.objects.expired().exists()

    def test_on_what_a_search_found(self, client, memory, agent):
        Memory.objects.add("Rain.", agent=agent, type="facts")
        self.act(client, "expire", memory, address=f"{LIST}?q=engine", select_across=1)
        assert Memory.objects.expired().get() == memory


class TestPermissions:
    @pytest.mark.parametrize("view", ["change", "delete", "history"])
    def test_nobody_without_rights_sees_a_memory(self, staff, browse, memory, view):
        response = browse(staff()).get(page(memory, view))
        assert response.status_code == 403
        assert b"engine" not in response.content

    @pytest.mark.usefixtures("memory")
    def test_nobody_without_rights_sees_the_list(self, staff, browse):
        assert browse(staff()).get(LIST).status_code == 403

    def test_those_who_only_see_are_offered_nothing_else(self, viewer, memory):
        shown = text_of(viewer.get(LIST)) + text_of(viewer.get(page(memory)))
        for offer in ('value="expire"', 'value="embed_anew"', 'value="delete_selected"', 'id="expire"', 'name="_save"'):
            assert offer not in shown

    @pytest.mark.parametrize("action", ["expire", "embed_anew", "delete_selected"])
    @pytest.mark.usefixtures("embedder")
    def test_those_who_only_see_do_nothing(self, viewer, memory, action):
        viewer.post(LIST, {"action": action, "_selected_action": [memory.pk], "post": "yes"})
        memory.refresh_from_db()
        assert memory.expires_at is None
        assert memory.embedding.model == "arc"

    @pytest.mark.parametrize("button", ["expire", "embed"])
    @pytest.mark.usefixtures("embedder")
    def test_buttons_are_for_those_who_may_change(self, viewer, memory, button):
        assert viewer.post(page(memory, button)).status_code == 403
        memory.refresh_from_db()
        assert memory.expires_at is None

    @pytest.mark.parametrize("button", ["expire", "embed"])
    @pytest.mark.usefixtures("embedder")
    def test_buttons_write_by_post_alone(self, client, memory, button):
        assert client.get(page(memory, button)).status_code == 405

    def test_buttons_check_where_a_form_comes_from(self, superuser, memory):
        client = Client(enforce_csrf_checks=True)
        client.force_login(superuser)
        assert client.post(page(memory, "expire")).status_code == 403

    def test_buttons_say_when_a_memory_is_gone(self, client, memory):
        address = page(memory, "expire")
        memory.delete()
        assert "There is no memory" in text_of(client.post(address, follow=True))
