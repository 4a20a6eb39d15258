"""Which function does the tasks of a name. Nothing here needs the models, so an app may register before they load."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import async_to_sync
from django import VERSION
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import autodiscover_modules

if TYPE_CHECKING:
    from core_tables.models import Task

F = TypeVar("F", bound=Callable[..., Any])

MODULE = "agent_tasks"
_handlers: dict[str, "Handler"] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """What does the tasks of a name.

    name: one that ends in `*` stands for all that begin so.
    function: takes the Task; what it returns, as JSON, becomes the task's result. May be asynchronous.
    atomic: run it in one transaction with the note that the task is done, so that its writes count exactly once.
    """

    name: str
    function: Callable[["Task"], Any]
    atomic: bool = False

    def run(self, task: "Task") -> Any:
        """Do the task, and return its result."""
        run = async_to_sync(self.function) if iscoroutinefunction(self.function) else self.function
        return run(task)

    def failed(self, task: "Task", error: BaseException) -> dict[str, Any]:  # noqa: ARG002 - for others
        """Return what else to note in a task's metadata of an attempt that failed."""
        return {}

    def over(self, task: "Task") -> None:
        """Tell whom it concerns that an attempt is over, and how."""


def agent_task(name: str, *, atomic: bool = False) -> Callable[[F], F]:
    """Let a function do the tasks of a name: `@agent_task("summarise-room")`.

    Put it into `agent_tasks.py` of an installed app, where the worker looks. A task may run more than once: when its
    worker is killed after the work but before it is noted, another one starts again. With `atomic`, what the
    function writes to the database of the tasks is undone with the note, so that it counts exactly once.

    Raises:
        ImproperlyConfigured: another function does these already.
    """

    def register_it(function: F) -> F:
        register(Handler(name=name, function=function, atomic=atomic))
        return function

    return register_it


def register(handler: Handler) -> None:
    """Add what does the tasks of a name.

    Raises:
        ImproperlyConfigured: another function does these already.
    """
    there = _handlers.get(handler.name)
    if there is not None and _place(there) != _place(handler):
        raise ImproperlyConfigured(
            f"Both {_place(there)} and {_place(handler)} want the tasks named {handler.name!r}: rename one of them."
        )
    _handlers[handler.name] = handler


def registered() -> dict[str, Handler]:
    """Return all handlers by their names."""
    return dict(sorted(_handlers.items()))


def handler_of(name: str) -> Handler:
    """Return what does the tasks of this name: the handler of just that name, or else of its longest beginning.

    Raises:
        KeyError: nothing does.
    """
    if name in _handlers:
        return _handlers[name]
    wide = (key for key in _handlers if key.endswith("*") and name.startswith(key.removesuffix("*")))
    return _handlers[max(wide, key=len, default=name)]


def discover() -> dict[str, Handler]:
    """Import `agent_tasks` of all installed apps, and the backends of Django's tasks, and return all handlers."""
    autodiscover_modules(MODULE)
    if VERSION >= (6, 0):
        from django.tasks import task_backends  # noqa: PLC0415 - older versions have none

        list(task_backends.all())  # one that stands on our table registers what runs it
    return registered()


def _place(handler: Handler) -> str:
    return f"{handler.function.__module__}.{handler.function.__qualname__}"
