from accounts.models import User
from desk.tests import open_ticket
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.urls import reverse
from pgvector.django import CosineDistance

from core_tables.models import Agent, Cache, Embedding, Memory
from notes.models import Note


class NoteTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ticket = open_ticket()
        cls.note = Note.objects.create(author=cls.ticket.opened_by, ticket=cls.ticket, text="It is plugged in.")
        cls.note.readers.add(cls.ticket.opened_by)

    def test_staff_with_the_right_reads_notes(self):
        user = User.objects.create_user("grace", password="compilers", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_note"))
        self.client.force_login(user)
        self.assertContains(self.client.get(reverse("admin:notes_note_changelist")), "It is plugged in.")

    def test_an_empty_note_is_refused(self):
        with self.assertRaisesMessage(IntegrityError, "note_says_something"), transaction.atomic():
            Note.objects.create(author=self.ticket.opened_by, ticket=self.ticket, text="")


class AgentTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.agent = Agent.objects.create(name="Helper")

    def test_vectors_are_there(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
            assert cursor.fetchone() == (1,)

    def test_the_nearest_memory(self):
        for place in range(2):
            memory = Memory.objects.create(agent=self.agent, type="facts", content={"text": str(place)})
            Embedding.objects.create(memory=memory, dim_384=[1 - place, place] + [0] * 382)
        near = Embedding.objects.order_by(CosineDistance("dim_384", [0.1, 1] + [0] * 382))
        assert [found.memory.content["text"] for found in near] == ["1", "0"]

    def test_a_composite_key(self):
        Cache.objects.create(key="mood", agent=self.agent, value="fine")
        assert Cache.objects.get(pk=("mood", self.agent.pk)).value == "fine"
