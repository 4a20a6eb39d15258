"""Each app has exactly one thing that keeps its tables: `migrate`, or automigrate on a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning  # noqa: A004 Django's name for it

from agentsql.checks.project import aliases, others, plugins, postgres, tables
from agentsql.discover import has_migrations, migrations_package

if TYPE_CHECKING:
    from django.db.models import Model

SHOWN = 5  # of many models, in one sentence


def check(asked: Iterable[AppConfig] | None = None) -> Iterator[CheckMessage]:
    for config in plugins(asked):
        yield from plugin_with_migrations(config)
        yield from plugin_without_database(config)
    for config in others(asked):
        yield from app_without_either(config)


def plugin_with_migrations(config: AppConfig) -> Iterator[CheckMessage]:
    if not has_migrations(config):
        return  # an empty package, as startapp makes it, is disregarded: `agentsql.apps`
    way_out = (
        "take `automigrate = True` from its AppConfig"
        if getattr(config, "automigrate", False) is True
        else f'take {config.label!r} out of AGENTSQL["PLUGINS"]'
    )
    yield Warning(
        f"The plugin {config.label!r} also has migrations: two things keep one schema.",
        hint=f"Delete its migrations package; or {way_out}, so that only `migrate` makes its tables.",
        obj=config,
        id="agentsql.W003",
    )


def app_without_either(config: AppConfig) -> Iterator[CheckMessage]:
    """Yield a warning where nothing makes an app's tables, unless the project has switched its migrations off."""
    if migrations_package(config) is not None or _switched_off(config):
        return
    models = [model for model in tables(config, automatic=False) if aliases(model)]
    if models:
        yield Warning(
            f"Neither migrate nor automigrate makes the tables of {config.label!r}: {_named(models)}.",
            hint="Set `automigrate = True` on its AppConfig (of an app that is not yours: add "
            f'{config.label!r} to AGENTSQL["PLUGINS"]), or run `manage.py makemigrations {config.label}`.',
            obj=config,
            id="agentsql.W004",
        )


def plugin_without_database(config: AppConfig) -> Iterator[CheckMessage]:
    lost = [model for model in tables(config, automatic=False) if not aliases(model)]
    if not lost:
        return
    if postgres():
        why = "the routers allow them on no PostgreSQL database"
        hint = "Let allow_migrate() of a router in DATABASE_ROUTERS answer True or None for them on one"
    else:
        why = "no database in DATABASES is PostgreSQL"
        hint = "Add one to DATABASES"
    yield Warning(
        f"automigrate never makes these tables of the plugin {config.label!r}, because {why}: {_named(lost)}.",
        hint=f"{hint}; or set managed = False on models whose tables others keep.",
        obj=config,
        id="agentsql.W005",
    )


def _switched_off(config: AppConfig) -> bool:
    """Tell whether MIGRATION_MODULES says None for an app, as test settings do."""
    from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415 only checks need it

    return MigrationLoader.migrations_module(config.label)[0] is None


def _named(models: Sequence[type[Model]]) -> str:
    more = f" and {len(models) - SHOWN} more" if len(models) > SHOWN else ""
    return ", ".join(model.__name__ for model in models[:SHOWN]) + more
