import datetime
import re
import subprocess
import sys
import time
from io import StringIO
from itertools import pairwise

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from core_tables.demo import StandIn
from core_tables.demo.fill import PARTS, missing, write
from core_tables.demo.scene import MARK, Scene
from core_tables.demo.seed import Seed
from core_tables.embeddings import embed
from core_tables.models import (
    Agent,
    Cache,
    Component,
    Embedding,
    Entity,
    Log,
    Memory,
    Message,
    Participant,
    Relationship,
    Room,
    Task,
)
from tests.core_tables import store as stores
from tests.crowd import ROOT

NOW = datetime.datetime(2026, 5, 4, 13, 0, tzinfo=datetime.UTC)


def demo(*words, **options):
    out = StringIO()
    call_command("demo", *words, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def numbers():
    return {model.__name__: model.objects.count() for model in apps.get_app_config("core_tables").get_models()}


def everything():
    """All ids, and what was written about them but the times."""
    models = apps.get_app_config("core_tables").get_models()
    rows = {model: set(model.objects.values_list("pk", flat=True)) for model in models if model is not Cache}
    return {
        **{model: keys for model, keys in rows.items() if model.__name__ != "Embedding"},
        "texts": list(Memory.objects.order_by("pk").values_list("content__text", flat=True)),
        "said": list(Message.objects.order_by("pk").values_list("content", "author", "in_reply_to")),
        "done": list(Log.objects.order_by("pk").values_list("type", "body")),
    }


def cosine(first, second):
    one, other = StandIn().embed([first, second])
    return sum(map(float.__mul__, one, other))


@pytest.fixture(scope="class")
def filled(_store_database, django_db_blocker):
    """A demo for all tests of a class, in a transaction that is rolled back."""
    with django_db_blocker.unblock(), stores.entered(_store_database), transaction.atomic():
        yield demo()
        transaction.set_rollback(True)


@pytest.fixture
def savepoint(filled, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.usefixtures("savepoint")
class TestFilling:
    def test_makes_a_world_in_which_there_is_something_of_everything(self):
        found = numbers()
        assert found["Agent"] == found["World"] == 3
        assert (found["Room"], found["Entity"], found["Message"], found["Memory"]) == (12, 28, 1500, 2000)
        assert found["Embedding"] == 2000
        assert min(found.values()) > 0
        assert set(Room.objects.values_list("source", flat=True)) == {"discord", "slack", "web", "email"}
        assert set(Participant.objects.values_list("room_state", flat=True)) == {None, "FOLLOWED", "MUTED"}
        assert Component.objects.filter(type="profile").count() == 25
        assert Relationship.objects.count() > 50

    def test_memories_differ(self):
        assert set(Memory.objects.values_list("type", flat=True)) == {"messages", "facts", "documents", "knowledge"}
        assert Memory.objects.expired().count() == Memory.objects.live().exclude(expires_at=None).count() == 72
        assert Memory.objects.filter(metadata__importance__gte=8).count() > 50
        document = Memory.objects.of_type("documents").first()
        assert Memory.objects.fragments_of(document).count() == len(document.content["text"].split("\n")) - 3
        again = Memory.objects.filter(unique=False, expires_at=None).first()
        assert Memory.objects.similar_to(again, 1)[0].content["text"] == f"{again.content['text'][:-1]}."

    def test_tasks_are_in_every_state(self):
        assert set(Task.objects.values_list("status", flat=True)) == set(Task.Status.values)
        for kind in ("due", "overdue", "lapsed", "failed", "running"):
            assert getattr(Task.objects, kind)().count() >= 3, kind
        assert Task.objects.failed().exclude(last_error__contains="Traceback").count() == 0
        assert Task.objects.exclude(every=None).count() == 6
        assert Task.objects.filter(run_at=None).count() == 3

    def test_runs_end_well_or_not(self):
        runs = Log.objects.runs(limit=200)
        assert len(runs) == 120
        assert {run.status for run in runs} == {"started", "completed", "error", "timeout"}
        assert all(run.model_calls and run.actions for run in runs)
        assert any(run.errors for run in runs)

    def test_the_cache_has_live_and_void_entries(self):
        assert (Cache.objects.live().count(), Cache.objects.expired().count()) == (9, 3)

    @pytest.mark.parametrize("model", [Message, Memory, Log, Task])
    def test_the_newest_are_new_and_nothing_lies_ahead(self, model):
        now = timezone.now()
        assert now - datetime.timedelta(hours=3) < model.objects.latest("created_at").created_at < now

    def test_conversations_make_sense(self):
        assert not Message.objects.filter(content__contains="{").exists()
        assert not Memory.objects.filter(content__text__contains="{").exists()
        for answer in Message.objects.exclude(in_reply_to=None).select_related("in_reply_to"):
            assert answer.in_reply_to.created_at < answer.created_at
            assert answer.in_reply_to.room_id == answer.room_id
        for room in Room.objects.all():
            assert room.messages.filter(author_id=room.agent_id).count() > 15, "the agent says nothing"
            spoke = set(room.messages.values_list("author", flat=True))
            assert spoke == set(room.participants.values_list("entity", flat=True))

    def test_says_what_it_made_and_where_to_look(self, filled):
        assert "12 rooms, 25 people, 1,500 messages, 2,000 memories" in filled
        assert 'stand-ins made of hashed words, for want of AGENTSQL["EMBEDDER"]' in filled
        assert '"core_tables.demo.StandIn"' in filled
        assert "http://127.0.0.1:8000/admin/core_tables/" in filled

    def test_twice_is_once(self):
        before = numbers()
        assert "there already; nothing was changed" in demo()
        assert numbers() == before

    def test_makes_again_what_somebody_deleted(self):
        before = everything()
        Agent.objects.get(name="Milo").delete()
        assert demo().startswith("Made Milo: 4 rooms")
        assert everything() == before

    def test_another_run_may_be_faster(self):
        scene = Scene.of(PARTS[0], Seed(number=1), timezone.now())
        assert not write(scene, [None] * len(scene.memories), None, "default")

    def test_another_seed_makes_another_world_beside(self, monkeypatch):
        first = everything()
        monkeypatch.setattr("core_tables.demo.fill.PARTS", PARTS[:1])
        demo(seed=2)
        assert Agent.objects.count() == 4
        assert Memory.objects.exclude(pk__in=first[Memory]).exclude(content__text__in=first["texts"]).exists()
        demo("--remove", "--seed=2")
        assert everything() == first

    def test_removes_what_it_made_and_nothing_else(self):
        own = Agent.objects.create(name="Ada", metadata={MARK: 1})
        room = Room.objects.create(agent=own, source="discord", type="DM")
        grace = Entity.objects.create(agent=own, names=["Grace"])
        Message.objects.record(room=room, author=grace, content="Hello")
        said = demo("--remove")
        assert re.search(r"^Wanda is gone, with [\d,]+ rows\.$", said, re.MULTILINE)
        assert {name: count for name, count in numbers().items() if count} == {
            "Agent": 1,
            "Room": 1,
            "Entity": 1,
            "Message": 1,
        }
        assert demo("--remove") == "There is no demo here; nothing was changed.\n"


@pytest.mark.usefixtures("store")
class TestEmbedding:
    @pytest.fixture
    def _ada_alone(self, monkeypatch):
        monkeypatch.setattr("core_tables.demo.fill.PARTS", PARTS[:1])

    @pytest.mark.usefixtures("_ada_alone")
    @override_settings(AGENTSQL={"EMBEDDER": "tests.core_tables.embedding.embed"})
    def test_asks_the_embedder_of_the_project(self):
        said = demo()
        assert "embedded by hashed" in said
        assert "stand-in" not in said
        assert set(Embedding.objects.values_list("model", flat=True)) == {"hashed"}

    @override_settings(AGENTSQL={"EMBEDDER": "tests.core_tables.embedding.failing"})
    def test_an_embedder_that_fails_leaves_no_part_half_done(self):
        with pytest.raises(CommandError, match="no route"):
            demo()
        assert {agent.name: agent.memories.count() for agent in Agent.objects.all()} == {"Ada": 670}

    @pytest.mark.usefixtures("_ada_alone")
    @override_settings(AGENTSQL={"EMBEDDER": "core_tables.demo.StandIn"})
    def test_stand_ins_find_what_shares_words(self):
        demo()
        (vector,) = embed(["Which people drink green tea when it is morning?"], query=True)
        found = Memory.objects.search(vector, 3, type="facts", agent=Agent.objects.get(name="Ada"))
        assert len(found) == 3
        assert all("drinks green tea in the morning" in memory.content["text"] for memory in found)


class TestStandIn:
    def test_shared_words_make_texts_near(self):
        assert cosine("The kettle leaks.", "Kettles leak!") > 0.6
        assert cosine("The kettle leaks.", "Invoices are overdue on Friday") < 0.3
        assert cosine("The kettle leaks.", "the KETTLE leaks") == pytest.approx(1)

    @pytest.mark.parametrize("text", ["", "...", "\ud800", "x" * 10_000])
    def test_every_text_has_a_direction(self, text):
        (vector,) = StandIn().embed([text])
        assert len(vector) == 384
        assert sum(number * number for number in vector) == pytest.approx(1)

    def test_it_is_the_same_everywhere(self):
        (vector,) = StandIn().embed(["kettle"])
        assert [place for place, number in enumerate(vector) if number] == [117, 177, 182, 223, 245, 252, 265, 290]


class TestScene:
    def test_threads_follow_each_other(self):
        scene = Scene.of(PARTS[0], Seed(number=1), NOW)
        for hall in scene.setting.halls:
            said = [message for message in scene.messages if message.room_id == hall.room.pk]
            assert all(one.created_at < other.created_at for one, other in pairwise(said))

    @pytest.mark.parametrize("hour", [0, 5, 12, 23])
    def test_it_does_not_depend_on_the_hour(self, hour):
        scene = Scene.of(PARTS[1], Seed(number=3), NOW)
        other = Scene.of(PARTS[1], Seed(number=3), NOW.replace(hour=hour, day=11))
        assert [entry.pk for entry in scene.logs] == [entry.pk for entry in other.logs]
        assert scene.texts == other.texts
        assert max(message.created_at for message in other.messages) < NOW.replace(hour=hour, day=11)


@pytest.mark.usefixtures("store")
class TestRefusals:
    def test_names_what_makes_the_tables(self):
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE logs, tasks")
        with pytest.raises(CommandError, match=r"lacks the tables logs, tasks: run `manage.py migrate`.*automigrate"):
            demo()

    def test_tables_that_are_not_complete(self):
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE tasks DROP COLUMN worker")
        with pytest.raises(CommandError, match=r"(?s)worker.*Run `manage\.py automigrate`"):
            demo()


def test_killed_in_the_middle_it_goes_on_where_it_was(committed_store):
    words = [sys.executable, "manage.py", "demo", "--no-color"]
    process = subprocess.Popen(words, cwd=ROOT, env=stores.variables(), stdout=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while not Agent.objects.exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    process.kill()
    process.wait()
    left = [scene.setting.agent.name for scene in missing(1, "default", timezone.now())]
    assert left
    for agent in Agent.objects.all():
        assert agent.memories.count() in {664, 666, 670}
    assert demo().startswith(f"Made {', '.join(left)}: ")
    assert (numbers()["Memory"], numbers()["Message"]) == (2000, 1500)
