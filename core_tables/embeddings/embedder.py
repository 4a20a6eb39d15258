"""The project's own way to embed texts, named by AGENTSQL["EMBEDDER"]: this package brings no model."""

import inspect
from collections.abc import Iterable
from functools import cache
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from pgvector import Vector

from core_tables.embeddings.widths import checked
from core_tables.exceptions import EmbedderFailed, MemoryStoreError


def embed(texts: Iterable[str], *, query: bool = False) -> list[Vector]:
    """Return a vector for each text, in their order, all of one width.

    Args:
        texts: none are sent if there are none.
        query: the texts are what is searched for. An embedder that has a method `embed_query` is asked by that: many
            models embed a question in another way than what answers it.

    Raises:
        TypeError: a text stands alone, or something among them is no text.
        ImproperlyConfigured: AGENTSQL["EMBEDDER"] is missing, or leads to nothing that can be called.
        EmbedderFailed: the embedder raised, or returned something other than a vector for each text.
    """
    wanted = _texts(texts)
    if not wanted:
        return []
    call = _call(query=query)
    with _Failures(len(wanted)):
        found = call(wanted)
        if inspect.isawaitable(found):
            found = async_to_sync(_awaited)(found)
        return _vectors(found, len(wanted))


async def aembed(texts: Iterable[str], *, query: bool = False) -> list[Vector]:
    """Do what `embed()` does, asynchronously. A function that is not asynchronous runs in a thread of its own."""
    wanted = _texts(texts)
    if not wanted:
        return []
    call = _call(query=query)
    with _Failures(len(wanted)):
        if inspect.iscoroutinefunction(call):
            found = await call(wanted)
        else:
            # Not in the one thread that Django keeps for the database, which others wait for.
            found = await sync_to_async(call, thread_sensitive=False)(wanted)
            found = await found if inspect.isawaitable(found) else found
        return _vectors(found, len(wanted))


def model_name() -> str | None:
    """Return the name of the model, if the embedder has it as an attribute `model`."""
    name = getattr(_embedder(_path()), "model", None)
    return name if isinstance(name, str) else None


class _Failures:
    """Tells of whatever goes wrong in the embedder as EmbedderFailed, with the original as its cause."""

    def __init__(self, count: int) -> None:
        self.what = f'The embedder {_path()} (AGENTSQL["EMBEDDER"]), asked to embed {count} texts,'

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _WrongAnswer | MemoryStoreError):
            raise EmbedderFailed(f"{self.what} returned something else: {error}") from error
        if isinstance(error, Exception):
            raise EmbedderFailed(f"{self.what} raised {type(error).__name__}: {error}") from error


class _WrongAnswer(Exception):
    pass


def _path() -> str:
    path = getattr(settings, "AGENTSQL", {}).get("EMBEDDER")
    if not path:
        raise ImproperlyConfigured(
            'AGENTSQL["EMBEDDER"] is not set: make it the dotted path of a function that takes a list of texts and '
            "returns a list of vectors."
        )
    return str(path)


@cache
def _embedder(path: str) -> Any:
    try:
        found = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f'AGENTSQL["EMBEDDER"] is {path!r}, which can\'t be imported: {error}') from error
    found = found() if isinstance(found, type) else found
    if not callable(found) and not callable(getattr(found, "embed", None)):
        raise ImproperlyConfigured(
            f'AGENTSQL["EMBEDDER"] is {path!r}, which is neither callable nor has a method embed.'
        )
    return found


def _call(*, query: bool) -> Any:
    embedder = _embedder(_path())
    usual = getattr(embedder, "embed", embedder)
    return getattr(embedder, "embed_query", usual) if query else usual


def _texts(texts: Iterable[str]) -> list[str]:
    if isinstance(texts, str | bytes):
        raise TypeError("embed() takes several texts: put one that stands alone into a list, embed([text])[0].")
    wanted = list(texts)
    for text in wanted:
        if not isinstance(text, str):
            raise TypeError(f"embed() takes texts, not {type(text).__name__}.")
    return wanted


async def _awaited(found: Any) -> Any:
    return await found


def _vectors(found: Any, count: int) -> list[Vector]:
    try:
        every = list(found)
    except TypeError:
        raise _WrongAnswer(f"a {type(found).__name__}, no list.") from None
    if len(every) != count:
        raise _WrongAnswer(f"{len(every)} vectors.")
    vectors = [checked(one) for one in every]
    if len(found_widths := {vector.dimensions() for vector in vectors}) > 1:
        raise _WrongAnswer(f"vectors of different widths, {', '.join(map(str, sorted(found_widths)))}.")
    return vectors
