"""Tell those who seed data that a plugin's tables are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.apps import apps
from django.core.checks import CheckMessage

from agentsql import findings
from agentsql.discover import Plugin
from agentsql.report import Report
from agentsql.signals import schema_applied


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
            for receiver, answer in schema_applied.send_robust(config, using=using, report=report):
                if isinstance(answer, Exception):
                    yield findings.receiver_failed(plugin.label, receiver, answer)


def is_listened_to(plugin: Plugin) -> bool:
    """Tell whether somebody wants to hear of a plugin's tables on this database."""
    return bool(plugin.models) and schema_applied.has_listeners(apps.get_app_config(plugin.label))
