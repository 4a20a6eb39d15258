"""Connects signals, nothing else. What they lead to is imported when they come: most processes never migrate."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class AgentSQLConfig(AppConfig):
    name = "agentsql"
    verbose_name = "Agent SQL"

    def ready(self) -> None:
        pre_migrate.connect(before_migrate)
        post_migrate.connect(after_migrate)


def before_migrate(**facts: Any) -> None:
    from agentsql import migrating  # noqa: PLC0415

    migrating.before_migrate(**facts)


def after_migrate(**facts: Any) -> None:
    from agentsql import migrating  # noqa: PLC0415

    migrating.after_migrate(**facts)
