"""Content types and permissions of plugins' models, by Django's own functions, so that staff can be given rights.

Two questions tell what is lacking for all plugins together; only an app that lacks something is handed to Django,
under the lock of a run, because Django's functions trip over one another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Warning  # noqa: A004 Django's name for it
from django.db import DatabaseError, router

from agentsql.discover import Plugin
from agentsql.exceptions import LockUnavailable
from agentsql.lock import exclusive
from agentsql.server import exist
from agentsql.session import first_line

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

OURS = Plugin(label="agentsql", models=())
FACTS = {  # by app: the model, and what tells its rows apart, the app they are about first
    "contenttypes": ("contenttypes.ContentType", "app_label", "model"),
    "auth": ("auth.Permission", "content_type__app_label", "content_type__model", "codename"),
}


def grant(connection: BaseDatabaseWrapper, plugins: Collection[Plugin], *, wait: float) -> Iterator[CheckMessage]:
    """Make the content types and permissions that are lacking; yield a finding when that can't be done.

    Where their tables don't exist yet, nothing is lacking: the `migrate` that makes them fills them. The page on the
    schema has a permission as well.
    """
    if apps.is_installed(OURS.label):
        plugins = (*plugins, OURS)
    try:
        if list(lacking(connection, plugins)):
            with exclusive(connection, wait=wait):
                tables = _tables(connection)
                for config in lacking(connection, plugins):
                    _create(config, connection.alias, tables)
    except (DatabaseError, LockUnavailable) as error:
        yield Warning(
            f"Content types and permissions of plugins' models could not be made: {first_line(error)}",
            hint="Run `manage.py migrate`; or run automigrate as a role that "
            "may write to the tables of django.contrib.auth and contenttypes.",
            obj="permissions",
            id="agentsql.D105",
        )


def lacking(connection: BaseDatabaseWrapper, plugins: Iterable[Plugin]) -> list[AppConfig]:
    """Return the plugins that have a model without a content type, or without one of its permissions.

    A plugin may keep its tables on another database than these; `django.contrib.auth` decides where they are.
    """
    tables = _tables(connection)
    configs = [apps.get_app_config(plugin.label) for plugin in plugins] if tables else []
    found: set[tuple[str, ...]] = set()
    for model, *names in (FACTS[label] for label in tables):
        rows = apps.get_model(model).objects.using(connection.alias).order_by()
        found |= set(rows.filter(**{f"{names[0]}__in": [config.label for config in configs]}).values_list(*names))
    return [config for config in configs if any(fact not in found for fact in _wanted(config, tables))]


def _wanted(config: AppConfig, tables: Collection[str]) -> Iterator[tuple[str, ...]]:
    for model in config.get_models():
        meta = model._meta
        kept = (meta.app_label, meta.model_name or "")
        if "contenttypes" in tables:
            yield kept
        if "auth" in tables:
            for codename in (
                *(f"{verb}_{meta.model_name}" for verb in meta.default_permissions),
                *dict(meta.permissions),
            ):
                yield (*kept, codename)


def _create(config: AppConfig, alias: str, tables: Collection[str]) -> None:
    from django.contrib.contenttypes.management import create_contenttypes  # noqa: PLC0415 where it is installed

    create_contenttypes(config, verbosity=0, using=alias)
    if "auth" in tables:
        from django.contrib.auth.management import create_permissions  # noqa: PLC0415 where it is installed

        create_permissions(config, verbosity=0, using=alias)


def _tables(connection: BaseDatabaseWrapper) -> list[str]:
    """Return which of the two apps are installed and have their table on this database."""
    installed = {
        label: apps.get_model(FACTS[label][0]) for label in FACTS if apps.is_installed(f"django.contrib.{label}")
    }
    models = {label: m for label, m in installed.items() if router.allow_migrate_model(connection.alias, m)}
    there = exist(connection, [model._meta.db_table for model in models.values()]) if models else []
    return [label for label, here in zip(models, there, strict=True) if here]
