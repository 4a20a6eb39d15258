"""Each app has exactly one thing that keeps its tables: `migrate`, or automigrate on a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from django.apps import AppConfig, apps
from django.contrib.postgres.indexes import PostgresIndex
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 Django's name for it

from agentsql.checks.project import aliases, others, plugins, postgres, tables
from agentsql.discover import has_migrations, migrations_package

if TYPE_CHECKING:
    from django.db.models import Model

SHOWN = 5  # of many models, in one sentence


def check(asked: Iterable[AppConfig] | None = None) -> Iterator[CheckMessage]:
    for config in plugins(asked):
        yield from plugin_with_migrations(config)
        yield from plugin_without_database(config)
        yield from heirs_of_migrations(config)
        yield from without_contrib_postgres(config)
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
        hint=f"Delete its migrations package, and let migrations that depend on it say ({config.label!r}, "
        f"'__first__'); or {way_out}, so that only `migrate` makes its tables (once, where they "
        f"are there already: `migrate {config.label} --fake-initial`).",
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


def heirs_of_migrations(config: AppConfig) -> Iterator[CheckMessage]:
    """Yield a warning for models that Django can't even load for a `migrate` on an empty database.

    It renders apps without migrations first, whose bases then are not there: InvalidBasesError, before any signal.
    """
    for model in config.get_models():
        bases = [base for base in model.__bases__ if hasattr(base, "_meta") and not base._meta.abstract]
        for base in bases:
            owner = apps.get_app_config(base._meta.app_label)
            if owner is not config and has_migrations(owner):
                what = "a proxy of" if model._meta.proxy else "a child of"
                yield Warning(
                    f"{model._meta.label} is {what} {base._meta.label}, whose app has migrations: `migrate` fails "
                    "on an empty database, a test database for one (InvalidBasesError).",
                    hint="Give the model a OneToOneField instead, or let an app with migrations have it.",
                    obj=model,
                    id="agentsql.W009",
                )


def without_contrib_postgres(config: AppConfig) -> Iterator[CheckMessage]:
    """Yield an error where models use what only works once that app is ready: operator classes, for one."""
    if apps.is_installed("django.contrib.postgres"):
        return
    using = [
        model
        for model in tables(config, automatic=False)
        if any(isinstance(index, PostgresIndex) for index in model._meta.indexes)
        or any(type(part).__module__.startswith("django.contrib.postgres") for part in _parts(model))
    ]
    if using:
        yield Error(
            f"Models of {config.label!r} use django.contrib.postgres, which is not installed: {_named(using)}.",
            hint='Add "django.contrib.postgres" to INSTALLED_APPS.',
            obj=config,
            id="agentsql.E010",
        )


def _parts(model: type[Model]) -> Iterator[object]:
    yield from model._meta.local_fields
    yield from model._meta.constraints
    for index in model._meta.indexes:
        yield from index.expressions


def _switched_off(config: AppConfig) -> bool:
    """Tell whether MIGRATION_MODULES says None for an app, as test settings do."""
    from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415 only checks need it

    return MigrationLoader.migrations_module(config.label)[0] is None


def _named(models: Sequence[type[Model]]) -> str:
    more = f" and {len(models) - SHOWN} more" if len(models) > SHOWN else ""
    return ", ".join(model.__name__ for model in models[:SHOWN]) + more
