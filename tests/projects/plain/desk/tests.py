from accounts.models import Team, User
from django.core.management import call_command
from django.db import connection
from django.test import TestCase, TransactionTestCase
from notes.models import Note

from core_tables.models import Agent
from desk.models import Queue, Ticket


def open_ticket(title="The printer hums"):
    team = Team.objects.create(name="Printers")
    user = User.objects.create_user("ada", password="printers", team=team)
    queue = Queue.objects.create(name="Hardware", team=team)
    return Ticket.objects.create(queue=queue, title=title, opened_by=user, agent=Agent.objects.create(name="Helper"))


class TicketTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ticket = open_ticket()

    def test_notes_point_to_tickets_and_tickets_to_notes(self):
        note = Note.objects.create(author=self.ticket.opened_by, ticket=self.ticket, text="It is plugged in.")
        self.ticket.see_also.add(note)
        self.ticket.pinned = note
        self.ticket.save()

        assert list(note.seen_from.values_list("pinned__text", flat=True)) == ["It is plugged in."]
        note.delete()
        self.ticket.refresh_from_db()
        assert self.ticket.pinned is None

    def test_a_ticket_outlives_its_agent(self):
        self.ticket.agent.delete()
        self.ticket.refresh_from_db()
        assert self.ticket.agent is None


class CommittedTests(TransactionTestCase):
    databases = {"default", "replica"}

    def test_one(self):
        ticket = open_ticket()
        assert Ticket.objects.using("replica").get() == ticket

    def test_another_finds_nothing_of_the_first(self):
        assert not Agent.objects.exists()
        assert not Ticket.objects.exists()


class DeliveredTests(TransactionTestCase):
    """What migrations deliver is there, whatever ran before."""

    serialized_rollback = True

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        # The flush after such a test sends no post_migrate: content types and seeds are gone.
        call_command("flush", interactive=False, verbosity=0)

    def test_the_support_team(self):
        if "Support" not in connection._test_serialized_contents:
            self.skipTest("the database was made without migrations, or is left from a run that flushed it")
        assert Team.objects.filter(name="Support").exists()
