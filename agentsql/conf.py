"""The `AGENTSQL` setting, read once into a frozen value."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`AGENTSQL = {"PLUGINS": ["blog"], "LOCK_TIMEOUT": 2.0, "LOCK_WAIT": 60.0}`.

    plugins: labels of third-party apps that are treated as plugins.
    lock_timeout: seconds a statement waits for a table lock, with others queueing behind it, before it lets them pass.
    lock_wait: seconds in all that an action is tried again for want of a lock.
    build_wait: seconds that CREATE INDEX CONCURRENTLY waits for one older transaction; nobody queues behind it.
    run_wait: seconds a run waits for another run on the same database.
    """

    plugins: tuple[str, ...] = ()
    lock_timeout: float = 2.0
    lock_wait: float = 60.0
    build_wait: float = 3600.0
    run_wait: float = 600.0


def load() -> Settings:
    """Read `settings.AGENTSQL`.

    Raises:
        ImproperlyConfigured: a key is unknown or a value has the wrong type.
    """
    raw = getattr(settings, "AGENTSQL", {})
    if not isinstance(raw, dict):
        raise ImproperlyConfigured(f"AGENTSQL must be a dict, not {type(raw).__name__}.")
    known = {field.name.upper(): field.name for field in fields(Settings)}
    for key in raw:
        if key not in known:
            near = get_close_matches(str(key).upper(), known, n=1)
            advice = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}."
            raise ImproperlyConfigured(f"AGENTSQL has the unknown key {key!r}; {advice}")
    return Settings(**{known[key]: _typed(key, value) for key, value in raw.items()})


def _typed(key: str, value: Any) -> Any:
    if key == "PLUGINS":
        if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(label, str) for label in value):
            raise ImproperlyConfigured('AGENTSQL["PLUGINS"] must be a list of app labels.')
        return tuple(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ImproperlyConfigured(f'AGENTSQL["{key}"] must be a positive number of seconds.')
    return float(value)
