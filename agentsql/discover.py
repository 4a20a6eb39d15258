"""Which installed apps are plugins, and which of their models live on a database: the first step of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from django.apps import AppConfig, apps
from django.conf import settings
from django.db import router

from agentsql.exceptions import UnknownPlugin

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """An app whose models are kept in the schema by automigrate."""

    label: str
    models: tuple[type[Model], ...]


def is_plugin(config: AppConfig, named: Iterable[str]) -> bool:
    """Tell whether an app says so itself (`automigrate = True`) or the project names it in AGENTSQL["PLUGINS"]."""
    return getattr(config, "automigrate", False) is True or config.label in named


def discover(
    connection: BaseDatabaseWrapper, *, named: Iterable[str], only: Iterable[str] | None = None
) -> tuple[Plugin, ...]:
    """Return the plugins and their tables' models for one database, in the order of INSTALLED_APPS.

    Routers decide, as do `managed`, `proxy`, `swappable` and `required_db_vendor`. Auto-created many-to-many models
    are models like any other.

    Args:
        connection: the database.
        named: labels from AGENTSQL["PLUGINS"].
        only: labels to keep; None or empty keeps all.

    Raises:
        UnknownPlugin: a label is not installed or not a plugin.
    """
    named = frozenset(named)
    configs = {config.label: config for config in apps.get_app_configs()}
    plugins = {label: config for label, config in configs.items() if is_plugin(config, named)}
    for label in sorted(named - configs.keys()):
        raise UnknownPlugin(
            f'AGENTSQL["PLUGINS"] names {label!r}, but no installed app has that label. {advice(label, configs)}'
        )
    only = tuple(only or ())
    for label in only:
        if label not in configs:
            raise UnknownPlugin(f"No installed app has the label {label!r}. {advice(label, plugins)}")
        if label not in plugins:
            raise UnknownPlugin(
                f"{label!r} is not a plugin: set `automigrate = True` on its AppConfig, "
                f'or add {label!r} to AGENTSQL["PLUGINS"].'
            )
    return tuple(
        Plugin(label=label, models=_models(config, connection))
        for label, config in plugins.items()
        if not only or label in only
    )


def _models(config: AppConfig, connection: BaseDatabaseWrapper) -> tuple[type[Model], ...]:
    models = router.get_migratable_models(config, connection.alias, include_auto_created=True)
    return tuple(model for model in models if model._meta.can_migrate(connection))


def migrations_package(config: AppConfig) -> ModuleSpec | None:
    """Return an app's migrations package, which may be empty; None where there is none or MIGRATION_MODULES says so."""
    modules, label = settings.MIGRATION_MODULES or {}, config.label
    name = modules[label] if label in modules else f"{config.name}.migrations"  # noqa: SIM401 pytest-django's has no get
    try:
        spec = find_spec(name) if name is not None else None
    except Exception:  # noqa: BLE001 whatever MIGRATION_MODULES names: Django tells when it comes to it
        spec = None
    is_package = spec is not None and spec.has_location and spec.submodule_search_locations is not None
    return spec if is_package else None


def has_migrations(config: AppConfig) -> bool:
    """Tell whether `migrate` makes an app's tables: it has at least one migration."""
    spec = migrations_package(config)
    places = spec.submodule_search_locations if spec is not None else None
    return any(not is_package and name[0] not in "_~" for _, name, is_package in iter_modules(places or []))


def advice(label: str, known: Iterable[str]) -> str:
    """Return the name that was meant, or else all there are."""
    known = sorted(known)
    near = get_close_matches(label, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known) or 'none'}."
