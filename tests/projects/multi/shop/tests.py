import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connections, transaction
from django.test import TestCase, TransactionTestCase
from metrics.models import Visit
from recall.models import Note, Opinion

from agentsql.testing import assert_schema_current
from core_tables.models import Agent, Room
from shop.models import Customer, Order

EVERYWHERE = {"default", "agents", "metrics", "replica"}


def tables(alias):
    return set(connections[alias].introspection.table_names())


def customer_with_a_note():
    user = User.objects.create_user("ada")
    note = Note.objects.create(agent=Agent.objects.create(name="Eliza"), user=user, text="likes tea")
    note.rooms.add(Room.objects.create(source="shop", type="chat"))
    opinion = Opinion.objects.create(user=user, likes="tea")
    Order.objects.create(customer=Customer.objects.create(user=user), opinion=opinion, placed_on="2026-01-01")
    Visit.objects.create(path="/tea", visitor=user.pk)
    return note


@transaction.atomic
def opinion_of_nobody():
    Opinion.objects.create(user_id=0, likes="nothing")
    transaction.get_connection().check_constraints()


class Routed(TestCase):
    databases = EVERYWHERE

    def test_each_table_is_on_its_database_only(self):
        assert {"agents", "memories", "recall_note", "recall_note_rooms"} <= tables("agents")
        assert {"recall_opinion", "shop_order", "auth_user"}.isdisjoint(tables("agents"))
        assert {"recall_opinion", "shop_order", "auth_user"} <= tables("default")
        assert {"agents", "recall_note", "recall_note_rooms", "metrics_visit"}.isdisjoint(tables("default"))
        assert tables("metrics") - {"django_migrations"} == {"metrics_visit"}

    def test_both_are_as_the_models_say(self):
        for alias in ("default", "agents"):
            assert_schema_current(using=alias)

    def test_rows_go_where_their_tables_are(self):
        note = customer_with_a_note()
        assert note.rooms.get().source == "shop"
        assert note.user.username == "ada"
        found = [note, Opinion.objects.get(), Visit.objects.get()]
        assert [row._state.db for row in found] == ["agents", "default", "metrics"]

    def test_the_key_across_databases_is_no_constraint_and_the_others_are(self):
        note = customer_with_a_note()
        Note.objects.create(agent=note.agent, user_id=0, text="of nobody")
        with pytest.raises(IntegrityError):
            opinion_of_nobody()

    def test_content_types_are_with_the_users(self):
        labels = set(ContentType.objects.values_list("app_label", flat=True))
        assert {"core_tables", "recall", "shop", "metrics"} <= labels


class Flushed(TransactionTestCase):
    databases = EVERYWHERE

    def test_all_databases_are_emptied_between_tests(self):
        assert not any(model.objects.exists() for model in (Note, Opinion, Visit))
        customer_with_a_note()
        assert Opinion.objects.using("replica").get().likes == "tea"

    test_and_once_more = test_all_databases_are_emptied_between_tests
