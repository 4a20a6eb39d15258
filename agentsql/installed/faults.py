"""Installed plugins that do not work: what went wrong with each, for the log and for a system check."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An installed plugin that does not work.

    distribution: its name and version. left_out: False where only `ready()` failed, so that models and tables stay.
    """

    name: str
    distribution: str
    error: str
    left_out: bool = True

    @property
    def message(self) -> str:
        fate = "is left out" if self.left_out else "is not ready, only its models are there"
        return f"The plugin {self.name!r} ({self.distribution}) {fate}: {self.error.rstrip('.')}."

    @property
    def remedy(self) -> str:
        return f"Mend, update or uninstall it, or name it in installed_plugins(exclude=[{self.name!r}])."


broken: dict[str, Broken] = {}  # by entry point


def works(point: EntryPoint, start: Callable[[], object], *, left_out: bool = True) -> bool:
    """Take one step of a plugin's start, and report whatever it raises."""
    try:
        start()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 SystemExit too, and the panics of extension modules
        report(point.name, point.dist, error, left_out=left_out)
        return False
    return True


def report(name: str, distribution: Distribution | None, error: BaseException, *, left_out: bool = True) -> None:
    words = " ".join(": ".join(filter(None, [type(error).__name__, str(error)])).split())
    if frames := traceback.extract_tb(error.__traceback__):
        words += f" ({frames[-1].filename}:{frames[-1].lineno})"
    fault = broken[name] = Broken(name=name, distribution=told(distribution), error=words, left_out=left_out)
    logging.getLogger("agentsql").error("%s %s", fault.message, fault.remedy)


def told(distribution: Distribution | None) -> str:
    try:
        return f"{distribution.name} {distribution.version}"  # type: ignore[union-attr]
    except Exception:  # noqa: BLE001 its METADATA may be missing or unreadable
        return "unnamed"
