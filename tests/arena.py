"""A schema to build in: by Django's own editor for the oracle, by the engine for what is tested."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, Self

from django.apps.registry import Apps
from django.db import connection as default_connection
from django.db import models

from agentsql.conf import Settings
from agentsql.discover import Plugin
from agentsql.engine import Tell, converge
from agentsql.report import Report
from agentsql.survey import Wishes
from tests.oracle import Fingerprint, fingerprint

LABEL = "plug"
TABLES = """
SELECT format('%%I.%%I', %s::text, relname) FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r'
"""
numbers = itertools.count()
STANDARD = Settings()


class Registry:
    """Models of one plugin, apart from the installed ones."""

    def __init__(self) -> None:
        self.apps = Apps()

    def model(
        self,
        name: str,
        /,
        *,
        bases: tuple[type, ...] = (models.Model,),
        meta: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Any:
        options = type("Meta", (), {"apps": self.apps, "app_label": LABEL, **(meta or {})})
        return type(name, bases, {"__module__": __name__, "Meta": options, **fields})

    def plugin(self, connection: Any) -> Plugin:
        every = self.apps.all_models[LABEL].values()
        return Plugin(label=LABEL, models=tuple(item for item in every if item._meta.can_migrate(connection)))


class Arena:
    """An empty schema, first on search_path while the block lasts."""

    def __init__(self, connection: Any = default_connection) -> None:
        self.connection = connection
        self.namespace = f"arena_{next(numbers)}"

    def __enter__(self) -> Self:
        self.sql(f"CREATE SCHEMA {self.namespace}")
        self.enter()
        return self

    def __exit__(self, *_: object) -> None:
        tables = [name for (name,) in self.rows(TABLES, self.namespace, self.namespace)]
        for start in range(0, len(tables), 200):  # one transaction can't hold the locks on thousands
            self.sql(f"DROP TABLE {', '.join(tables[start : start + 200])} CASCADE")
        self.sql(f"DROP SCHEMA {self.namespace} CASCADE", "RESET search_path")

    def enter(self) -> None:
        self.sql(f"SET search_path TO {self.namespace}, public")

    def sql(self, *statements: str) -> None:
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def rows(self, sql: str, *params: Any) -> list[Any]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            return list(cursor.fetchall())

    def automigrate(
        self, *plugins: Plugin, settings: Settings = STANDARD, tell: Tell = lambda _: None, **wishes: Any
    ) -> Report:
        return converge(self.connection, plugins, settings, Wishes(**wishes), tell)

    def by_django(self, plugins: Iterable[Plugin]) -> None:
        """Build what Django builds from the same models; `create_model` makes automatic tables itself."""
        with self.connection.schema_editor() as editor:
            for plugin in plugins:
                for model in plugin.models:
                    if not model._meta.auto_created:
                        editor.create_model(model)

    def fingerprint(self) -> Fingerprint:
        with self.connection.cursor() as cursor:
            return fingerprint(cursor, self.namespace)


def oracle(*plugins: Plugin) -> Fingerprint:
    """Return what Django itself makes of these models in an empty schema."""
    with Arena() as arena:
        arena.by_django(plugins)
        return arena.fingerprint()
