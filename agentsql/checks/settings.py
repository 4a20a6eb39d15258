"""`settings.AGENTSQL` is right, and names apps that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

from agentsql import conf
from agentsql.checks.project import configs
from agentsql.discover import advice

NAME = "AGENTSQL"


def check() -> Iterator[CheckMessage]:
    yield from wrong_settings()
    yield from unknown_labels()


def wrong_settings() -> Iterator[CheckMessage]:
    for message, hint in conf.problems(getattr(settings, NAME, {})):
        yield Error(message, hint=hint, obj=NAME, id="agentsql.E001")


def unknown_labels() -> Iterator[CheckMessage]:
    """Yield an error for each label in PLUGINS without an app; nothing where the setting can't be read."""
    if list(conf.problems(getattr(settings, NAME, {}))):
        return
    known = {config.label: config for config in configs()}
    for label in sorted(set(conf.load().plugins) - known.keys()):
        yield Error(
            f'{NAME}["PLUGINS"] names {label!r}, but no installed app has that label.',
            hint=_meant(label, known),
            obj=NAME,
            id="agentsql.E002",
        )


def _meant(label: str, known: Mapping[str, AppConfig]) -> str:
    for config in known.values():
        if label in {config.name, f"{type(config).__module__}.{type(config).__qualname__}"}:
            return f"That is the name of an app; write its label, {config.label!r}."
    return advice(label, known)
