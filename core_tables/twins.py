"""The asynchronous twin of a method: the same name with an `a` in front, as Django's own querysets have them."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async

R = TypeVar("R")
P = ParamSpec("P")


def twin(method: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Return `method` for `await`: it runs in the thread that Django keeps for the database."""

    @wraps(method)
    async def awaited(*args: P.args, **kwargs: P.kwargs) -> R:
        return await sync_to_async(method)(*args, **kwargs)

    awaited.__name__ = f"a{method.__name__}"
    awaited.__qualname__ = f"{method.__qualname__.rpartition('.')[0]}.{awaited.__name__}"
    awaited.__doc__ = f"Do what `{method.__name__}()` does, asynchronously."
    return awaited
