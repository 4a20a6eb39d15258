"""A database is fit for the plugins' models, and holds them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.core.management.commands.migrate import Command as Migrate
from django.db import DatabaseError, connections

from agentsql import session
from agentsql.checks.project import aliases, plugins, tables
from agentsql.checks.schemas import behind
from agentsql.checks.versions import old_pgvector
from agentsql.exceptions import AgentSQLError

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

Models: TypeAlias = Mapping[str, list["type[Model]"]]  # by the plugins' labels


def check(alias: str, asked: Iterable[AppConfig] | None = None) -> list[CheckMessage]:
    """Return one error where a database can't be used, else what the checks find.

    Inside a transaction nothing is asked: a run is refused there, which says nothing of the database. Nor on behalf of
    `migrate`, which says itself what it can't do.
    """
    connection = connections[alias]
    models = _models(alias, asked)
    if not models or connection.in_atomic_block or asked_by_migrate():
        return []
    try:
        session.connect(connection)
        return list(_found(connection, models))
    except (AgentSQLError, ImproperlyConfigured) as error:
        return [unusable(alias, str(error))]
    except DatabaseError as error:
        return [unusable(alias, session.told(error))]


def _models(alias: str, asked: Iterable[AppConfig] | None) -> Models:
    """Return the models that have their tables on a database, of the plugins that have any there."""
    here = {config.label: [model for model in tables(config) if alias in aliases(model)] for config in plugins(asked)}
    return {label: models for label, models in here.items() if models}


def _found(connection: BaseDatabaseWrapper, models: Models) -> Iterator[CheckMessage]:
    yield from old_pgvector((model for every in models.values() for model in every), connection)
    yield from behind(connection.alias, models)


def asked_by_migrate() -> bool:
    """Tell whether `manage.py migrate` asks, however it was called: it is about to mend what could be found.

    An error would keep it from doing so, and Django tells a check nothing of who asks.
    """
    frame = inspect.currentframe()
    while frame is not None and not isinstance(frame.f_locals.get("self"), Migrate):
        frame = frame.f_back
    return frame is not None


def unusable(alias: str, words: str) -> CheckMessage:
    return Error(
        words,
        hint="Nothing else of this database was checked, and automigrate can't run on it.",
        obj=f"database {alias}",
        id="agentsql.E101",
    )
