"""`makemigrations` as ever, but for plugins: their models are their schema, and nothing is written into them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import find_commands
from django.core.management.base import BaseCommand, CommandError

from agentsql import conf
from agentsql.discover import is_plugin


def next_command(name: str) -> type[BaseCommand]:
    """Return the command of the next app after this one in INSTALLED_APPS that has it, or Django's own."""
    configs = list(apps.get_app_configs())
    place = [config.name for config in configs].index("agentsql")
    owners = (c.name for c in configs[place + 1 :] if name in find_commands(str(Path(c.path, "management"))))
    command: type[BaseCommand] = import_module(f"{next(owners, 'django.core')}.management.commands.{name}").Command
    return command


def apart_from(plugins: set[str], autodetector: type[Any]) -> type[Any]:
    """Return an autodetector to which these apps have not changed, whatever migrations they have."""

    class ApartFromPlugins(autodetector):  # type: ignore[misc]
        def __init__(self, from_state: Any, to_state: Any, *args: Any) -> None:
            migrated = plugins - set(from_state.real_apps)  # the others it leaves alone by itself
            kept = {key: model for key, model in from_state.models.items() if key[0] in migrated}
            changed = {key: model for key, model in to_state.models.items() if key[0] not in migrated}
            to_state.models = changed | kept
            super().__init__(from_state, to_state, *args)

    return ApartFromPlugins


class Command(next_command("makemigrations")):  # type: ignore[misc]
    def handle(self, *labels: str, **options: Any) -> None:
        try:
            named = conf.load().plugins
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        plugins = {config.label for config in apps.get_app_configs() if is_plugin(config, named)}
        if refused := sorted(plugins.intersection(labels)):
            raise CommandError(
                f"No migrations are written for plugins ({', '.join(refused)}): their schema comes from their models. "
                f"Run `manage.py automigrate {' '.join(refused)}`. To have migrations instead, take "
                '`automigrate = True` out of the AppConfig, or the label out of AGENTSQL["PLUGINS"].'
            )
        if "agentsql" in labels:
            raise CommandError("agentsql has no tables, and so no migrations.")
        # Not on the class: Django demands that of migrate be the same (commands.E001).
        self.autodetector: type[Any] = apart_from(plugins, self.autodetector)
        super().handle(*labels, **options)
