"""What `manage.py check` tells: of settings and models always, of databases where they are named (`--database`).

Each check is one function with one id, silenced like any of Django's (SILENCED_SYSTEM_CHECKS). Nothing is imported
before Django asks: most processes check nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks

TAG = "agentsql"


def register() -> None:
    """Let Django run the checks; a second call changes nothing."""
    checks.register(check_project, TAG)
    checks.register(check_databases, checks.Tags.database)


def check_project(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """Check settings, apps and models; no connection is opened. AGENTSQL is checked whatever apps are asked about."""
    from agentsql.checks import plugins, settings, tables, widths  # noqa: PLC0415
    from agentsql.installed import installed_plugins_work  # noqa: PLC0415

    return [
        *installed_plugins_work(),
        *settings.check(),
        *plugins.check(app_configs),
        *tables.check(app_configs),
        *widths.check(app_configs),
    ]


def check_databases(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **_: Any
) -> list[checks.CheckMessage]:
    """Check each of these databases that is PostgreSQL and holds a plugin's table; no other is connected to."""
    if not databases:
        return []
    from agentsql.checks.databases import check  # noqa: PLC0415

    return [message for alias in databases for message in check(alias, app_configs)]
