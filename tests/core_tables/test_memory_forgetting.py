"""Several that delete memories at once."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Count
from django.utils import timezone

from core_tables.models import Memory
from tests.core_tables.together import together

AGO = timedelta(days=1)
DEADLOCK = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$"


def somebody_waits():
    with connection.cursor() as cursor:
        # A transaction sees the same all the time, unless it asks to look anew.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return cursor.rowcount


def forget(batch):
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '5s'")
    return sum(Memory.objects.delete_expired(batch))


def fragment_of(document, position, **values):
    metadata = {"type": "fragment", "documentId": str(document.pk), "position": position}
    return Memory(agent=document.agent, type="fragments", content={}, metadata=metadata, **values)


@pytest.fixture
def library(committed_store, agent):
    """Documents and their fragments, which have all expired, each at a time of its own."""
    past = [timezone.now() - AGO + timedelta(seconds=second) for second in range(1200)]
    random.Random(1).shuffle(past)
    documents = [Memory(agent=agent, type="documents", content={}, expires_at=past.pop()) for _ in range(300)]
    fragments = [fragment_of(document, place, expires_at=past.pop()) for document in documents for place in range(3)]
    Memory.objects.bulk_create([*documents, *fragments])
    return documents, fragments


@pytest.mark.usefixtures("library")
def test_several_that_forget_the_same_neither_stop_each_other_nor_leave_anything():
    deleted = together(forget, [100] * 4)
    assert sum(deleted) + sum(Memory.objects.delete_expired()) == 1200
    assert not Memory.objects.exists()


def test_documents_and_fragments_may_be_deleted_from_both_ends(library):
    documents, fragments = library

    def delete(half):
        chosen = [*documents[half::2], *fragments[1 - half :: 2]]
        return Memory.objects.filter(pk__in=[memory.pk for memory in chosen]).delete_with_fragments()[0]

    assert sum(together(delete, range(2))) == 1200


def test_a_document_waits_for_a_fragment_that_somebody_holds(library):
    documents, fragments = library
    held = fragments[0]
    with transaction.atomic():
        Memory.objects.select_for_update().get(pk=held.pk)
        assert together(forget, [100]) == [1196]
    assert set(Memory.objects.all()) == {documents[0], *fragments[:3]}
    assert list(Memory.objects.delete_expired()) == [4]


def test_what_is_no_longer_meant_once_it_is_locked_stays(library):
    kept, gone = library[0][:2]
    chosen = Memory.objects.filter(type="documents", pk__in=[kept.pk, gone.pk])
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            chosen.filter(pk=kept.pk).update(type="kept")
            deleted = pool.submit(together, lambda rows: rows.delete_with_fragments()[0], [chosen])
            while not somebody_waits():
                time.sleep(0.01)
        assert deleted.result() == [4]
    assert Memory.objects.filter(pk=kept.pk).exists()


def test_after_a_deadlock_with_others_a_batch_is_tried_again(committed_store, agent, monkeypatch):
    Memory.objects.add("tea", agent=agent, type="facts", expires_at=timezone.now() - AGO)
    left = [DEADLOCK] * 2

    def refuse(execute, sql, params, many, context):
        if sql.startswith("DELETE") and left:
            return execute(left.pop(), None, False, context)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        assert list(Memory.objects.delete_expired()) == [1]
        assert not left
        Memory.objects.add("tea", agent=agent, type="facts")
        left += [DEADLOCK] * 9
        with pytest.raises(OperationalError), transaction.atomic():  # whoever began it has to begin anew
            Memory.objects.all().delete_with_fragments()
        assert len(left) == 8
        with pytest.raises(OperationalError):
            Memory.objects.all().delete_with_fragments()
        assert len(left) == 3


@pytest.mark.parametrize("rows", [Memory.objects.distinct, lambda: Memory.objects.annotate(n=Count("room"))])
def test_rows_that_are_distinct_or_grouped_go_too(store, agent, rows):
    Memory.objects.add("tea", agent=agent, type="facts", expires_at=timezone.now() - AGO)
    assert list(rows().delete_expired()) == [1]
    Memory.objects.add("tea", agent=agent, type="facts")
    assert rows().delete_with_fragments()[0] == 1


@pytest.mark.parametrize(("batch", "error"), [(0, ValueError), ("5", TypeError), (2.5, TypeError)])
def test_a_batch_is_a_number_of_rows(store, batch, error):
    with pytest.raises(error, match=r"batch is .*at least 1"):
        next(Memory.objects.delete_expired(batch))
