from django.apps import AppConfig


class CoreTablesConfig(AppConfig):
    name = "core_tables"
    verbose_name = "Agent tables"
    automigrate = True
