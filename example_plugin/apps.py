from django.apps import AppConfig


class ExamplePluginConfig(AppConfig):
    name = "example_plugin"
    verbose_name = "Library"
    # This line makes the app a plugin. There is nothing to import, and no migrations to write.
    automigrate = True
