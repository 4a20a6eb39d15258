"""What the static checks look at: the installed apps, their tables, and the databases these may be on.

No connection is opened: routers and a backend's vendor are known without.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router

from agentsql import conf
from agentsql.discover import is_plugin

if TYPE_CHECKING:
    from django.db.models import Model


def configs(asked: Iterable[AppConfig] | None = None) -> list[AppConfig]:
    """Return the apps a check was asked about; None asks about all."""
    return list(apps.get_app_configs() if asked is None else asked)


def named() -> frozenset[str] | None:
    """Return the labels in AGENTSQL["PLUGINS"]; None where the setting is wrong, which checks of its own tell."""
    try:
        labels = frozenset(conf.load().plugins)
    except ImproperlyConfigured:
        return None
    return labels if labels <= {config.label for config in configs()} else None


def plugins(asked: Iterable[AppConfig] | None = None) -> list[AppConfig]:
    """Return the plugins among the apps; none where AGENTSQL is wrong."""
    labels = named()
    return [config for config in configs(asked) if labels is not None and is_plugin(config, labels)]


def others(asked: Iterable[AppConfig] | None = None) -> list[AppConfig]:
    """Return the apps that are no plugins; none where AGENTSQL is wrong."""
    labels = named()
    return [config for config in configs(asked) if labels is not None and not is_plugin(config, labels)]


def tables(config: AppConfig, *, automatic: bool = True) -> list[type[Model]]:
    """Return the models of an app that are to have a table on PostgreSQL; get_models() leaves out swapped ones.

    Args:
        config: the app.
        automatic: with the many-to-many models that fields make.
    """
    return [
        model
        for model in config.get_models(include_auto_created=automatic)
        if model._meta.managed
        and not model._meta.proxy
        and (model._meta.required_db_vendor or "postgresql") == "postgresql"
    ]


def postgres() -> list[str]:
    """Return the aliases of DATABASES that are PostgreSQL."""
    return [alias for alias in connections if _vendor(alias) == "postgresql"]


def _vendor(alias: str) -> str:
    """Return what a database is; one whose driver is not installed here is nothing that a check could look at."""
    try:
        return connections[alias].vendor
    except ImproperlyConfigured:
        return ""


def aliases(model: type[Model]) -> list[str]:
    """Return the PostgreSQL databases on which the routers allow a model's table."""
    return [alias for alias in postgres() if router.allow_migrate_model(alias, model)]
