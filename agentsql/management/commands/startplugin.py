"""`startapp` with a template of ours: an app that is a plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.templates import TemplateCommand

# Also for `startapp --template`.
TEMPLATE = Path(__file__).resolve().parent.parent.parent / "plugin_template"


class Command(TemplateCommand):
    help = "Make a plugin: an app with a model, its admin and a test, whose tables `manage.py automigrate` makes."
    missing_args_message = "You must provide a plugin name."

    def handle(self, **options: Any) -> None:  # type: ignore[override]  # as in startapp
        name, directory = options.pop("name"), options.pop("directory")
        options["template"] = options["template"] or str(TEMPLATE)
        super().handle("app", name, directory, **options)
        if options["verbosity"] > 0:
            self.stdout.write(
                f'1. Add it to INSTALLED_APPS, with "core_tables":  "{name}",\n2. Make its tables:  manage.py migrate'
            )
