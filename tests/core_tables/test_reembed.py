import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import connection, transaction
from django.utils import timezone

from core_tables.embeddings.reembedding import clear_old, reembed
from core_tables.management.progress import Progress
from core_tables.models import Agent, Embedding, Memory
from tests.core_tables import embedding, store


@pytest.fixture(autouse=True)
def embedder(settings, monkeypatch):
    settings.AGENTSQL = {"EMBEDDER": "tests.core_tables.embedding.embed"}
    monkeypatch.setattr(embedding, "asked", [])


def command(*arguments, **options):
    out = StringIO()
    call_command("reembed", *arguments, stdout=out, stderr=StringIO(), **options)
    return out.getvalue().strip()


def add(agent, count, **values):
    every = [Memory(agent=agent, **{"type": "facts", "content": {"text": f"fact {n}"}} | values) for n in range(count)]
    Memory.objects.bulk_add(every)
    return every


def test_what_has_no_vector_gets_one(store, agent):
    add(agent, 5)
    assert command("--batch", "2") == "5 memories embedded."
    for memory in Memory.objects.select_related("embedding"):
        assert memory.embedding.dim_384 == pytest.approx(embedding.vector(memory.content["text"]), abs=1e-6)
        assert (memory.embedding.model, memory.embedding.agent_id) == ("hashed", agent.pk)
    assert command() == "0 memories embedded."


def test_what_another_model_made_is_made_anew(store, agent):
    memory, unknown, done = add(agent, 3)
    Memory.objects.put_embedding(memory, [1.0] * 384, model="old")
    Memory.objects.put_embedding(unknown, [1.0] * 384)
    Memory.objects.put_embedding(done, [1.0] * 384, model="hashed")
    assert command() == "2 memories embedded."
    assert set(Embedding.objects.filter(dim_384=[1.0] * 384).values_list("memory", flat=True)) == {done.pk}
    assert command("--model", "newer") == "3 memories embedded."
    assert Embedding.objects.made_by("newer").count() == 3


def test_vectors_of_another_width_stay_unless_told(store, agent, monkeypatch):
    memory, _ = add(agent, 2)
    Memory.objects.put_embedding(memory, [1.0] * 768, model="old")
    assert command("--limit", "1") == "1 memories embedded."
    assert command() == "1 memories embedded."
    kept = Embedding.objects.get(memory=memory)
    assert kept.dim_768 == [1.0] * 768
    assert kept.dim_384 is not None
    monkeypatch.setattr(embedding, "width", 512)
    assert command("--clear-old") == "2 memories embedded."
    kept.refresh_from_db()
    assert (kept.dim_384, kept.dim_768) == (None, None)
    assert len(kept.dim_512) == 512


def test_old_widths_can_be_cleared_later(store, agent):
    memory, other = add(agent, 2)
    Memory.objects.put_embedding(memory, [1.0] * 768, model="old")
    assert command() == "2 memories embedded."
    Memory.objects.put_embedding(other, [1.0] * 768, model="another")
    assert command("--clear-old", "--model", "hashed") == "1 memories embedded. 1 done before lost older vectors."
    assert not Embedding.objects.of_width(768).exists()
    assert Embedding.objects.of_width(384).made_by("hashed").count() == 2
    with pytest.raises(ValueError, match="at least 1"):
        clear_old(Memory.objects.all(), batch=0)


class Elsewhere:
    def db_for_read(self, *_, **__):
        return "other"


def test_memories_are_held_where_they_are_written(store, agent, settings):
    rows = add(agent, 1)
    settings.DATABASE_ROUTERS = [Elsewhere()]
    assert sum(reembed(Memory.objects.all())) == 1
    Memory.objects.using("default").put_embedding(rows[0], [1.0] * 768, model="hashed")
    assert sum(clear_old(Memory.objects.filter(type="facts"))) == 1


def test_only_the_memories_that_are_meant(store, agent):
    other = Agent.objects.create(name="Alan")
    add(agent, 2), add(other, 2), add(other, 2, type="goals")
    assert command("--agent", "Alan", "--type", "goals") == "2 memories embedded."
    assert command("--agent", str(other.pk), "--limit", "1") == "1 memories embedded."
    assert command("--dry-run") == "3 memories would be embedded."


def test_what_has_no_words_is_passed_over(store, agent):
    add(agent, 2, content={"text": " "}), add(agent, 1, content={}), add(agent, 1)
    add(agent, 1, expires_at=timezone.now() - timedelta(days=1))
    assert command() == "1 memories embedded. 3 without words were passed over."


def test_a_failure_leaves_the_batches_before(store, agent, settings):
    settings.AGENTSQL = {"EMBEDDER": "tests.core_tables.embedding.failing"}
    add(agent, 1, content={"text": "good"}, id="00000000-0000-4000-8000-000000000001")
    add(agent, 1, content={"text": "bad"}, id="00000000-0000-4000-8000-000000000002")
    with pytest.raises(CommandError, match="1 texts, raised ConnectionError: no route"):
        command("--batch", "1")
    assert Memory.objects.with_embedding().get().content == {"text": "good"}


def test_an_embedder_that_changes_its_width_is_stopped(store, agent, monkeypatch):
    monkeypatch.setattr(embedding, "vector", lambda text: [1.0] * (384 if text == "How wide?" else 512))
    add(agent, 1)
    with pytest.raises(CommandError, match="were 384 wide, and now 512"):
        command()


def test_no_embedder_is_told(store, settings):
    settings.AGENTSQL = {}
    with pytest.raises(CommandError, match="EMBEDDER"):
        command()


def test_what_another_run_holds_is_passed_over(committed_store, agent):
    held, _ = add(agent, 2)

    def run():
        try:
            return sum(reembed(Memory.objects.all()))
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        Memory.objects.select_for_update().get(pk=held.pk)
        assert pool.submit(run).result() == 1
    assert Memory.objects.without_embedding().get() == held


def process(log):
    variables = os.environ | store.variables() | {"EMBEDDING_LOG": str(log), "DJANGO_SETTINGS_MODULE": "settings"}
    code = (
        "import django; from django.conf import settings; settings.AGENTSQL = "
        "{'EMBEDDER': 'tests.core_tables.embedding.embed'}; django.setup(); "
        "from django.core.management import call_command; call_command('reembed', batch=10)"
    )
    return subprocess.Popen([sys.executable, "-c", code], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def seen(log):
    return [line for line in log.read_text().splitlines() if line.startswith("fact")] if log.exists() else []


def test_killed_in_the_middle_it_goes_on(committed_store, agent, tmp_path):
    add(agent, 300)
    log = tmp_path / "log"
    first = process(log)
    while len(seen(log)) < 50:
        assert first.poll() is None, first.stderr.read()
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    done = Embedding.objects.count()
    assert 0 < done < 300
    assert command() == f"{300 - done} memories embedded."
    assert Embedding.objects.count() == Memory.objects.with_embedding().count() == 300


def test_several_at_once_share_the_work(committed_store, agent, tmp_path):
    add(agent, 150)
    log = tmp_path / "log"
    runs = [process(log) for _ in range(3)]
    told = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], told
    assert Embedding.objects.count() == 150
    assert sorted(seen(log)) == sorted({f"fact {number}" for number in range(150)})  # none was embedded twice
    assert sum(int(out.split()[0]) for out, _ in told) == 150


def test_a_batch_has_a_size(store):
    with pytest.raises(ValueError, match="at least 1"):
        list(reembed(Memory.objects.all(), batch=0))


class Terminal(StringIO):
    def isatty(self):
        return True


def test_progress_is_a_bar_on_a_terminal_and_a_line_elsewhere():
    screen, file = Terminal(), StringIO()
    for stream in (screen, file):
        progress = Progress(OutputWrapper(stream), "Embedding", 4)
        progress.add(1)
        progress.next_line = 0
        progress.add(1)
        progress.clear()
    assert file.getvalue().count("\n") == 1
    assert "50%, 2 of 4" in file.getvalue()
    assert screen.getvalue().count("\r\x1b[K") == 3
