"""Memories as files."""

import csv
import io
import json
import tracemalloc

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core_tables.admin.memories import exports
from core_tables.models import Agent, Memory
from tests.admin import many
from tests.core_tables.vectors import vector

JSONL, CSV = (reverse(f"admin:core_tables_memory_export_{kind}") for kind in ("jsonl", "csv"))


def lines(client, query=""):
    response = client.get(f"{JSONL}{query}")
    assert isinstance(response, StreamingHttpResponse)
    return [json.loads(line) for line in b"".join(response.streaming_content).decode().splitlines()]


def table(client, query=""):
    text = b"".join(client.get(f"{CSV}{query}").streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def memory(agent, room, entity):
    content = {"text": 'The engine\u2028hums, "loudly".\nTwice.', "source": "irc"}
    return Memory.objects.add(
        content, agent=agent, room=room, entity=entity, type="facts", metadata={"a": 1}, vector=vector(1)
    )


class TestJsonLines:
    def test_has_what_a_memory_holds(self, client, memory):
        (line,) = lines(client)
        assert line["id"] == str(memory.pk)
        assert (line["content"], line["metadata"]) == (memory.content, {"a": 1})
        assert (line["agent"], line["room"], line["entity"]) == ("Ada", "lab", "Grace")
        assert line["created_at"] == memory.created_at.isoformat()
        assert line["unique"] is True

    @pytest.mark.usefixtures("memory")
    def test_is_a_file_to_keep(self, client):
        response = client.get(JSONL)
        assert response["Content-Disposition"].startswith('attachment; filename="memories-')
        assert response["Content-Type"] == "application/jsonl; charset=utf-8"


class TestCsv:
    def test_has_the_same(self, client, memory):
        (row,) = table(client)
        assert row["text"] == memory.content["text"]
        assert json.loads(row["content"]) == memory.content
        assert (row["agent"], row["unique"], row["expires_at"]) == ("Ada", "true", "")

    @pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
    def test_defuses_formulas(self, client, first):
        formula = f'{first}cmd|"/C calc"!A1'
        agent = Agent.objects.create(name=formula)
        Memory.objects.add(formula, agent=agent, type=formula)
        (row,) = table(client)
        assert row["text"] == row["agent"] == row["type"] == f"'{formula}"

    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ("a;=1+1;b", "a;'=1+1;b"),
            ('a;"=1+1;', "a;'\"=1+1;"),
            ("a\t@b\n- c", "a\t'@b\n'- c"),
            ("  =1+1", "'  =1+1"),
            ("\xa0=1+1", "'\xa0=1+1"),
            ("a - b = c; d", "a - b = c; d"),
        ],
    )
    def test_defuses_them_where_another_program_would_end_a_cell(self, client, agent, text, written):
        Memory.objects.add(text, agent=agent, type="facts", metadata={"numbers": [0.5, -1]})
        (row,) = table(client)
        assert row["text"] == written
        assert json.loads(row["metadata"]) == {"numbers": [0.5, -1]}

    @pytest.mark.usefixtures("memory")
    def test_quotes_every_cell(self, client):
        text = b"".join(client.get(CSV).streaming_content).decode()
        assert text.startswith('"id","created_at",')
        assert ',"",' in text


class TestWhatIsInIt:
    @pytest.mark.usefixtures("memory")
    def test_is_what_the_filters_leave(self, client, agent):
        Memory.objects.add("Rain.", agent=agent, type="notes")
        assert [line["content"]["text"] for line in lines(client, "?type=notes")] == ["Rain."]

    def test_is_what_the_search_found_in_its_order(self, client, agent):
        for words in ("engine and many more words", "engine engine", "rain"):
            Memory.objects.add(words, agent=agent, type="facts")
        found = [line["content"]["text"] for line in lines(client, "?q=engine")]
        assert found == ["engine engine", "engine and many more words"]

    def test_is_every_row_once_across_pages(self, client, agent, room, entity, monkeypatch):
        monkeypatch.setattr(exports, "IDS", 7)
        monkeypatch.setattr(exports, "ROWS", 3)
        many.memories(agent, room, entity, 50)
        Memory.objects.update(created_at=Memory.objects.latest().created_at)  # ids alone tell them apart
        ids = [line["id"] for line in lines(client)]
        assert len(ids) == 50
        assert set(ids) == set(map(str, Memory.objects.values_list("pk", flat=True)))

    @pytest.mark.usefixtures("memory")
    def test_is_no_secret_and_no_vector(self, client):
        Agent.objects.update(settings={"secrets": {"KEY": "sk-123"}})
        with CaptureQueriesContext(connection) as asked:
            written = json.dumps(lines(client)) + json.dumps(table(client))
        assert "sk-123" not in written
        assert not any('"settings"' in query["sql"] or '"dim_384",' in query["sql"] for query in asked)

    def test_of_nothing_is_nothing(self, client):
        assert lines(client) == []
        assert table(client) == []


class TestStream:
    def test_goes_out_row_by_row_where_rows_are_large(self, client, agent, monkeypatch):
        monkeypatch.setattr(exports, "BYTES", 1_000)
        for _ in range(3):
            Memory.objects.add({"text": "", "bytes": Agent().pk.hex * 50}, agent=agent, type="facts")
        parts = list(client.get(JSONL).streaming_content)
        assert len(parts) >= 2

    def test_holds_a_bounded_number_of_rows(self, client, agent, room, entity):
        many.memories(agent, room, entity, 2_000)
        Memory.objects.update(content={"text": "engine " * 1_500})
        response = client.get(JSONL)
        tracemalloc.start()
        size = sum(map(len, response.streaming_content))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert size > 20_000_000
        assert peak < size / 2


class TestPermissions:
    @pytest.mark.parametrize("address", [JSONL, CSV])
    @pytest.mark.usefixtures("memory")
    def test_is_for_those_who_may_see(self, staff, browse, address):
        assert browse(staff()).get(address).status_code == 403
        assert browse(staff("core_tables.view_memory")).get(address).status_code == 200

    @pytest.mark.usefixtures("site", "memory")
    def test_is_not_for_strangers(self):
        from django.test import Client

        assert Client().get(JSONL).status_code == 302

    def test_of_a_wrong_filter_leads_to_the_list(self, client):
        assert client.get(f"{CSV}?agent=1")["Location"].endswith("?e=1")
