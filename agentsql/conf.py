"""The `AGENTSQL` setting, read into a frozen value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

LONGEST = 1e9  # seconds; more is a mistake, and infinity no wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`AGENTSQL = {"PLUGINS": ["blog"], "LOCK_TIMEOUT": 2.0, "LOCK_WAIT": 60.0}`.

    plugins: labels of third-party apps that are treated as plugins.
    run_with_migrate: whether `manage.py migrate` brings the plugins' schema along.
    rename_guess: whether what looks like a rename waits for a person.
    lock_timeout: seconds a statement waits for a table lock, with others queueing behind it, before it lets them pass.
    lock_wait: seconds in all that an action is tried again for want of a lock.
    build_wait: seconds that CREATE INDEX CONCURRENTLY waits for one older transaction; nobody queues behind it.
    run_wait: seconds a run waits for another run on the same database.
    embedder: dotted path of the callable that embeds texts for the core tables, which read it themselves.
    admin_apply: whether superusers may run automigrate from the admin.
    """

    plugins: tuple[str, ...] = ()
    run_with_migrate: bool = True
    rename_guess: bool = True
    lock_timeout: float = 2.0
    lock_wait: float = 60.0
    build_wait: float = 3600.0
    run_wait: float = 600.0
    embedder: str = ""
    admin_apply: bool = False


KEYS = {field.name.upper(): field.name for field in fields(Settings)}
STANDARD = Settings()
ADVICE = {
    "PLUGINS": "Make it a list of app labels.",
    "RUN_WITH_MIGRATE": "Make it True or False.",
    "RENAME_GUESS": "Make it True or False.",
    "ADMIN_APPLY": "Make it True or False.",
    "EMBEDDER": 'Make it a dotted path: "project.embedding.embed".',
}


def load() -> Settings:
    """Read `settings.AGENTSQL`.

    Raises:
        ImproperlyConfigured: a key is unknown or a value has the wrong type.
    """
    raw = getattr(settings, "AGENTSQL", {})
    for message, hint in problems(raw):
        raise ImproperlyConfigured(f"{message} {hint}")
    return Settings(**{KEYS[key]: _typed(key, value) for key, value in raw.items()})


def problems(raw: Any) -> Iterator[tuple[str, str]]:
    """Yield all that is wrong with a value of `settings.AGENTSQL`: what, and what to do."""
    if not isinstance(raw, dict):
        yield f"AGENTSQL is a {type(raw).__name__}.", 'Make it a dict: AGENTSQL = {"PLUGINS": [...]}.'
        return
    for key, value in raw.items():
        if key not in KEYS:
            near = get_close_matches(str(key).upper(), KEYS, n=1)
            yield (
                f"AGENTSQL has the unknown key {key!r}.",
                f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(KEYS)}.",
            )
        elif not _fits(key, value):
            yield f'AGENTSQL["{key}"] is {value!r}.', ADVICE.get(key, "Make it a positive number of seconds.")


def _fits(key: str, value: Any) -> bool:
    if key == "PLUGINS":
        return isinstance(value, list | tuple | set | frozenset) and all(isinstance(one, str) for one in value)
    kind = type(getattr(STANDARD, KEYS[key]))
    if kind is not float:
        return isinstance(value, kind)
    return not isinstance(value, bool) and isinstance(value, int | float) and 0 < value <= LONGEST


def _typed(key: str, value: Any) -> Any:
    if key == "PLUGINS":
        return tuple(value)
    return value if isinstance(value, bool | str) else float(value)
