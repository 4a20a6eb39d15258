"""Tell those who seed data that a plugin's tables are there."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.apps import apps
from django.core.checks import CheckMessage

from agentsql import findings
from agentsql.discover import Plugin
from agentsql.report import Report
from agentsql.signals import schema_applied

LOGGER = logging.getLogger("agentsql")


def announce(plugins: Iterable[Plugin], using: str, report: Report | None) -> Iterator[CheckMessage]:
    """Send `schema_applied` for each plugin with models on this database; yield a finding for what a receiver raises.

    Args:
        plugins: those whose schema is complete.
        using: the database alias.
        report: of the run; None after a flush.
    """
    for plugin in plugins:
        config = apps.get_app_config(plugin.label)
        if is_listened_to(plugin):
            with _untold():
                answers = schema_applied.send_robust(config, using=using, report=report)
            for receiver, answer in answers:
                if isinstance(answer, Exception):
                    LOGGER.debug("A receiver of schema_applied failed", exc_info=answer)
                    yield findings.receiver_failed(plugin.label, receiver, answer)


@contextmanager
def _untold() -> Iterator[None]:
    """Keep Django from logging what a finding tells: its traceback would stand between the report's lines."""
    logger = logging.getLogger("django.dispatch")
    logger.addFilter(_is_other)
    try:
        yield
    finally:
        logger.removeFilter(_is_other)


def _is_other(record: logging.LogRecord) -> bool:
    return not record.msg.startswith("Error calling %s in Signal.send_robust()")


def is_listened_to(plugin: Plugin) -> bool:
    """Tell whether somebody wants to hear of a plugin's tables on this database."""
    return bool(plugin.models) and schema_applied.has_listeners(apps.get_app_config(plugin.label))
