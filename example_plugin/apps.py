from django.apps import AppConfig

from agentsql.signals import schema_applied
from example_plugin.seeds import sow


class ExamplePluginConfig(AppConfig):
    name = "example_plugin"
    verbose_name = "Library"
    # This line makes the app a plugin. There is nothing to import for it, and no migrations to write.
    automigrate = True

    def ready(self) -> None:
        # Only for rows that the plugin wants to find in its tables.
        schema_applied.connect(sow, sender=self)
