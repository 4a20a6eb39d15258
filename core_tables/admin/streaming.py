"""Answers that are written while they are read."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest


def streamed(request: HttpRequest, lines: Iterator[str]) -> Any:
    """Return lines as the server of a request takes them: under ASGI, Django would gather them all first."""
    return _asynchronous(lines) if isinstance(request, ASGIRequest) else lines


async def _asynchronous(lines: Iterator[str]) -> AsyncIterator[str]:
    following = sync_to_async(lambda: next(lines, None))
    while (some := await following()) is not None:
        yield some
