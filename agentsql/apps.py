"""Connects checks and signals, nothing else; what they lead to is imported when they come."""

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_migrate, pre_migrate

from agentsql import checks, conf, namespaces
from agentsql.discover import has_migrations, is_plugin


class AgentSQLConfig(AppConfig):
    name = "agentsql"
    verbose_name = "Agent SQL"

    def ready(self) -> None:
        disregard_empty_packages()
        namespaces.list_tables()
        checks.register()
        pre_migrate.connect(before_migrate)
        post_migrate.connect(after_migrate)


def disregard_empty_packages() -> None:
    """Let Django see that a plugin has no migrations, though `startapp` made it a package for them.

    To Django that package makes it an app with migrations whose first one is yet to be written: makemigrations would
    write it, migrate ask for it, and the migrations of other apps could not refer to its models.
    """
    try:
        named = conf.load().plugins
    except ImproperlyConfigured:
        return  # the checks tell
    plugins = [config for config in apps.get_app_configs() if is_plugin(config, named)]
    none = {config.label: None for config in plugins if not has_migrations(config)}
    if none and type(settings.MIGRATION_MODULES) is dict:  # whoever switches migrations off has another thing there
        settings.MIGRATION_MODULES = none | settings.MIGRATION_MODULES


def before_migrate(**facts: Any) -> None:
    from agentsql import migrating  # noqa: PLC0415

    # To the end of the queue: behind those who make content types and permissions, and whom our error would cut off.
    post_migrate.disconnect(after_migrate)
    post_migrate.connect(after_migrate)
    migrating.before_migrate(**facts)


def after_migrate(**facts: Any) -> None:
    from agentsql import migrating  # noqa: PLC0415

    migrating.after_migrate(**facts)
