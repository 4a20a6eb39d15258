"""Tables in schemas of their own, as Django should see them.

`db_table = 'ai"."notes'` is how Django users name a table of another schema. Django's introspection lists what is on
search_path, under bare names, so that `migrate --run-syncdb` (every test database) would make such a table again, and a
flush would leave it out and fail where it refers to others. For plugins' tables we add the names to that list.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from agentsql import conf
from agentsql.discover import is_plugin
from agentsql.editor import SEPARATOR
from agentsql.names import clip

if TYPE_CHECKING:
    from django.db.backends.base.introspection import BaseDatabaseIntrospection


def list_tables() -> None:
    """Let introspection list plugins' tables in schemas of their own; where there are none, change nothing."""
    try:
        tables = _names()
    except ImproperlyConfigured:
        return  # the checks tell
    if tables:
        from django.db.backends.postgresql.introspection import DatabaseIntrospection  # noqa: PLC0415 needs psycopg

        _list_also(DatabaseIntrospection, tables)


def _names() -> list[str]:
    """Return the plugins' tables in schemas, in Django's spelling, and those whose names the server cuts."""
    named = conf.load().plugins
    models = (
        model
        for config in apps.get_app_configs()
        if is_plugin(config, named)
        for model in config.get_models(include_auto_created=True)
    )
    tables = (model._meta.db_table for model in models)
    return [name for name in tables if SEPARATOR in name or clip(name) != name]


def _list_also(introspection: type[BaseDatabaseIntrospection], tables: list[str]) -> None:
    plain = introspection.table_names

    @wraps(plain)
    def table_names(self: Any, cursor: Any = None, include_views: bool = False) -> list[str]:
        from agentsql.server import exist  # noqa: PLC0415 few processes ask

        there = zip(tables, exist(self.connection, tables), strict=True)
        return sorted({*plain(self, cursor, include_views), *(name for name, exists in there if exists)})

    introspection.table_names = table_names  # type: ignore[method-assign]
