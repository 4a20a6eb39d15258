import subprocess
import sys

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.db import IntegrityError, transaction
from pgvector.django import CosineDistance

from core_tables.models import Agent, Entity, Memory, Room
from example_plugin.models import Document, Passage, Reader, Topic
from example_plugin.seeds import TOPICS, sow
from tests.core_tables.scratch import columns, constraints, indexes, rows

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def agent():
    return Agent.objects.create(name="Ada")


def test_the_tables_have_the_names_that_django_gives_them():
    assert {table for table in columns() if table.startswith("example_plugin_")} == {
        "example_plugin_document",
        "example_plugin_document_rooms",
        "example_plugin_passage",
        "example_plugin_reader",
        "example_plugin_topic",
    }
    assert constraints("p")["example_plugin_reader"] == {"PRIMARY KEY (document_id, entity_id)"}
    assert indexes()["example_plugin_passage"]["example_passage_embedding_hnsw"] == (
        "hnsw (embedding vector_cosine_ops)"
    )


def test_other_programs_need_only_the_required_columns(agent):
    rows("INSERT INTO example_plugin_document (agent_id, title) VALUES (%s, 'A')", agent.pk)
    document = Document.objects.get()
    rows("INSERT INTO example_plugin_passage (document_id, position, text) VALUES (%s, 0, '')", document.pk)
    assert (document.url, document.tags, document.details) == ("", [], {})


def test_one_document_an_address(agent):
    Document.objects.create(agent=agent, title="no address")
    Document.objects.create(agent=agent, title="none either")
    Document.objects.create(agent=agent, title="A", url="https://example.com/")
    with pytest.raises(IntegrityError), transaction.atomic():
        Document.objects.create(agent=agent, title="B", url="https://example.com/")


def test_passages_are_counted_from_zero(agent):
    document = Document.objects.create(agent=agent, title="A")
    with pytest.raises(IntegrityError), transaction.atomic():
        Passage.objects.create(document=document, position=-1, text="")


def test_both_kinds_of_many_to_many(agent):
    document = Document.objects.create(agent=agent, title="A")
    reader = Entity.objects.create(agent=agent, names=["Grace"])
    document.readers.add(reader, through_defaults={"may_edit": True})
    document.rooms.add(Room.objects.create(agent=agent, source="test", type="DM"))
    assert Reader.objects.get(pk=(document.pk, reader.pk)).may_edit
    assert reader.documents.get() == document


def test_the_nearest_passage(agent):
    document = Document.objects.create(agent=agent, title="A")
    for position in range(2):
        vector = [0.0] * 384
        vector[position] = 1.0
        Passage.objects.create(document=document, position=position, text="", embedding=vector)
    nearest = Passage.objects.order_by(CosineDistance("embedding", [0.1, 1.0] + [0.0] * 382)).first()
    assert nearest.position == 1


def test_sowing_again_adds_what_is_lacking_and_nothing_else():
    sow(using="default")
    names = set(Topic.objects.values_list("name", flat=True))
    Topic.objects.get(name="news").delete()
    Topic.objects.filter(name="paper").update(description="Ours.")
    sow(using="default")
    assert set(Topic.objects.values_list("name", flat=True)) == names == set(TOPICS)
    assert Topic.objects.get(name="paper").description == "Ours."


def test_deleting_core_rows_reaches_the_plugin(agent):
    document = Document.objects.create(agent=agent, title="A")
    memory = Memory.objects.create(agent=agent, type="documents", content={"text": "A"})
    Passage.objects.create(document=document, position=0, text="", memory=memory)
    document.rooms.add(Room.objects.create(agent=agent, source="test", type="DM"))
    document.readers.add(Entity.objects.create(agent=agent))
    memory.delete()
    assert Passage.objects.get().memory is None
    agent.delete()
    rows("SET CONSTRAINTS ALL IMMEDIATE")
    assert not Document.objects.exists()


def test_the_app_is_clean_and_imports_nothing_of_the_engine():
    config = apps.get_app_config("example_plugin")
    assert config.automigrate is True
    assert run_checks(app_configs=[config]) == []
    code = (
        "import sys, example_plugin.apps, core_tables.apps; "
        "sys.exit(any(name.startswith('agentsql.') and name != 'agentsql.signals' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0
