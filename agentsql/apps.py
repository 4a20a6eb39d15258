from django.apps import AppConfig


class AgentSQLConfig(AppConfig):
    name = "agentsql"
    verbose_name = "Agent SQL"
