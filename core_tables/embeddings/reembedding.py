"""Embed the memories that have no vector of the project's model yet, a batch at a time, as often as one likes."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from core_tables.embeddings.embedder import embed, model_name
from core_tables.embeddings.widths import column_for, widths
from core_tables.exceptions import EmbedderFailed
from core_tables.querysets.base import at_least_one

if TYPE_CHECKING:
    from core_tables.querysets.memory_lists import MemoryLists

BATCH = 64  # texts: what services and models usually take at once
CLEARED = 1_000  # memories in one transaction
FIRST = UUID(int=0)


def pending(memories: "MemoryLists", *, model: str | None = None) -> "MemoryLists":
    """Return the live memories with words that have no vector of the embedder's width, or one of another model.

    Asks the embedder for one vector, to see how wide it is.

    Args:
        memories: which ones to look at.
        model: what the embedder's model is called. Without a name, from here or from the embedder, only a vector's
            width tells where it comes from.

    Raises:
        ImproperlyConfigured, EmbedderFailed: see `embed()`.
    """
    return _pending(memories, _width(), model or model_name())


def clear_old(memories: "MemoryLists", *, model: str | None = None, batch: int = CLEARED) -> Iterator[int]:
    """Take the vectors of other widths away from memories that have theirs, and yield how many after each batch.

    Each batch is a transaction of its own. Asks the embedder for one vector, to see how wide it is.

    Args:
        memories: which ones to look at.
        model: as for `pending()`.
        batch: how many memories to change at once.

    Raises:
        ValueError: `batch` is less than 1.
        ImproperlyConfigured, EmbedderFailed: see `embed()`.
    """
    return _cleared(_written(memories), _width(), model or model_name(), at_least_one(batch, "The batch"))


def _cleared(memories: "MemoryLists", width: int, model: str | None, batch: int) -> Iterator[int]:
    rows = _embeddings(memories.db)
    done = rows.of_width(width).made_by(model) if model else rows.of_width(width)
    others = [column_for(other).name for other in widths() if other != width]
    old = done.filter(reduce(or_, (Q(**{f"{name}__isnull": False}) for name in others)))
    old = old.filter(memory__in=memories.values("pk"))
    while True:
        with transaction.atomic(using=memories.db):
            free = old.select_for_update(no_key=True, skip_locked=True, of=("self",))
            held = list(free.values_list("pk", flat=True)[:batch])
            rows.filter(pk__in=held).update(updated_at=timezone.now(), **dict.fromkeys(others))
        if not held:
            return
        yield len(held)


def _written(memories: "MemoryLists") -> "MemoryLists":
    """Return the memories as they are where they are written: that is where rows can be held."""
    rows = memories.all()
    rows._for_write = True
    return rows.using(rows.db)


def _width() -> int:
    return embed(["How wide?"])[0].dimensions()


def _pending(memories: "MemoryLists", width: int, model: str | None) -> "MemoryLists":
    done = _embeddings(memories.db).of_width(width).filter(memory=OuterRef("pk"))
    return memories.live().with_text().filter(~Exists(done.made_by(model) if model else done))


def reembed(
    memories: "MemoryLists",
    *,
    model: str | None = None,
    batch: int = BATCH,
    limit: int | None = None,
    clear_old: bool = False,
) -> Iterator[int]:
    """Embed the memories that are pending, and yield how many after each batch.

    A batch is a transaction that holds its memories while they are embedded, so that their text stays what it was.
    Whatever stops this, the batches before stay and the next run goes on; several at once share the work. Vectors of
    other widths stay, so that a search finds these memories by them as before.

    Args:
        memories: which ones to look at.
        model: what the embedder's model is called, as for `pending()`; it is kept with the vectors.
        batch: how many texts to embed at once.
        limit: embed no more than so many.
        clear_old: take away a memory's vectors of other widths when it gets its new one. For those that have theirs
            already there is `clear_old()`.

    Raises:
        ValueError: `batch` is less than 1.
        ImproperlyConfigured, EmbedderFailed: see `embed()`.
    """
    if batch < 1:
        raise ValueError("A batch has at least 1 text.")
    width, model = _width(), model or model_name()
    todo = _pending(_written(memories), width, model)
    values = {"model": model, "clear_old": clear_old}
    done, found = 0, True
    while found:  # again from the first id, for those that were written or let go in the meantime
        last: UUID | None = FIRST
        found = False
        while last and (limit is None or done < limit):
            last, count = _batch(todo, last, batch if limit is None else min(batch, limit - done), width, values)
            done += count
            if count:
                found = True
                yield count


def _batch(todo: "MemoryLists", after: UUID, size: int, width: int, values: dict[str, Any]) -> tuple[UUID | None, int]:
    """Embed the next memories by id; return the last id, None after the end, and how many were embedded."""
    with transaction.atomic(using=todo.db):
        free = todo.filter(pk__gt=after).order_by("pk").select_for_update(no_key=True, skip_locked=True, of=("self",))
        held = list(free.values_list("pk", flat=True)[:size])
        # Asked again now that they are held: another run may just have finished with some of them.
        texts = dict(todo.filter(pk__in=held).values_list("pk", KeyTextTransform("text", "content")))
        if texts:
            vectors = embed(list(texts.values()))
            if vectors[0].dimensions() != width:
                raise EmbedderFailed(f"The embedder's vectors were {width} wide, and now {vectors[0].dimensions()}.")
            _embeddings(todo.db).put(dict(zip(texts, vectors, strict=True)), **values)
    return held[-1] if held else None, len(texts)


def _embeddings(using: str) -> Any:
    return apps.get_model("core_tables", "Embedding")._default_manager.using(using)
