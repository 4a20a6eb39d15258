from django.db import connections
from django.test import TestCase

from metrics.models import Visit

AGENTS = {"agents", "memories", "embeddings"}


class Visits(TestCase):
    """They hold with routers and without."""

    databases = {"default", "agents", "metrics"}

    def test_sqlite_has_what_it_can_have(self):
        assert connections["metrics"].settings_dict["NAME"] == "file:memorydb_metrics?mode=memory&cache=shared"
        assert Visit.objects.using("metrics").create(path="/").pk == 1
        assert AGENTS.isdisjoint(connections["metrics"].introspection.table_names())

    def test_postgresql_has_the_rest(self):
        assert set(connections["agents"].introspection.table_names()) >= AGENTS
