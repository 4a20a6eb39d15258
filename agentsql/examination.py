"""A thorough look at what both sides have: every fact of it, as the server prints it on both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from django.apps import apps
from django.db.models import NOT_PROVIDED

from agentsql import catalog, details
from agentsql.comparison import SPARE_DEFAULT, Difference, foreign_key, glance, place_of, thorough
from agentsql.details import ColumnDetail, Place, TableDetail
from agentsql.diff import diff
from agentsql.editor import table_name
from agentsql.names import TableName
from agentsql.rehearsal import rehearse
from agentsql.schema import Column, Extension, Key, Kind, SchemaObject, Table
from agentsql.server import rows
from agentsql.session import patient

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from agentsql.details import Detail
    from agentsql.server import Server
    from agentsql.situation import Situation

# Versions of an extension are no numbers: the newer is the one to which an update leads.
OUTDATED = """
SELECT e.name::text, e.installed_version, e.default_version FROM pg_available_extensions e
 WHERE e.name = ANY(%s::name[]) AND e.installed_version <> e.default_version
   AND EXISTS (SELECT FROM pg_extension_update_paths(e.name) p
                WHERE p.source = e.installed_version AND p.target = e.default_version AND p.path IS NOT NULL)
 ORDER BY e.name
"""
# Neither partitions and heirs, which belong to another table, nor what extensions brought.
STRANGERS = """
SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY(%s::name[]) AND c.relkind IN ('r', 'p') AND c.oid <> ALL(%s::oid[])
   AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
"""
OF_DJANGO = "django_migrations"  # a table that no installed model tells of


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What a thorough look gives.

    wanted: by desired key. found: by place in the database. failed: tables that could not be rehearsed, and why.
    glanced: what differs at a glance in objects that have no wanted details.
    outdated: extensions that models need, with the version installed and the one that the server offers.
    strangers: by schema that a plugin names, the tables of no model.
    """

    wanted: Mapping[Key, Detail]
    found: Mapping[Place, Detail]
    failed: Mapping[TableName, str]
    glanced: tuple[Difference, ...] = ()
    outdated: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    strangers: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def differences(self, now: Situation) -> Iterator[Difference]:
        return (_weighed(one, now) for one in chain(thorough(now.diff, self.wanted, self.found), self.glanced))


def _weighed(one: Difference, now: Situation) -> Difference:
    """Tell a default that only other programs miss: where a model has one in Python, too, its INSERTs send it."""
    spare = one.fact == "default" and one.wanted and now.draft.origins[one.key].source.default is not NOT_PROVIDED
    return one._replace(fact=SPARE_DEFAULT) if spare else one


def examine(
    connection: BaseDatabaseWrapper, now: Situation, server: Server, *, patience: float, in_full: bool = False
) -> Examination:
    """Read the details of all tables that both sides have, and rehearse how the models want them.

    `in_full` rehearses also the tables that are missing.
    """
    shared = [item for key, item in now.actual.items() if isinstance(item, Table) and key in now.diff.shared]
    tables = {table.oid: table.table for table in shared if table.relkind in "rp"}
    with patient(connection, patience):
        found = details.read(connection, tables, server)
    asked = now.draft.contents if in_full else [table for table in tables.values() if table in now.draft.contents]
    rehearsal = rehearse(connection, now.draft, asked, server, patience=patience)
    twins = diff(now.draft.objects, rehearsal.objects).shared
    there: dict[Key, SchemaObject | None] = {key: item for key, (_, item) in now.diff.shared.items()}
    there |= {key: now.diff.begun.get(key) for key in now.diff.missing if key.table in asked}
    wanted: dict[Key, Detail] = {}
    for key, item in there.items():
        if key.kind is Kind.FOREIGN_KEY:
            with suppress(Exception):  # what Django can't render is told as not compared
                wanted[key] = foreign_key(str(now.statements(key)[0]))
        elif key in twins and (made := rehearsal.details.get(place_of(twins[key][1]))) is not None:
            wanted[key] = _as_it_would_be(key, made, found.get(place_of(item)) if item is not None else None, now)
    return Examination(
        wanted=wanted,
        found=found,
        failed=rehearsal.failed,
        glanced=tuple(_glanced(connection, now, wanted)),
        outdated=_outdated(connection, now),
        strangers=_strangers(connection, now),
    )


def _as_it_would_be(key: Key, made: Detail, found: Detail | None, now: Situation) -> Detail:
    """Return what a rehearsed object would be as a lasting one.

    A default that only the database has is ours, where the model has one in Python: a column that a run adds to a table
    with rows keeps it, for processes with the old code.
    """
    if isinstance(made, TableDetail):
        return replace(made, persistence="p")
    if isinstance(made, ColumnDetail) and isinstance(found, ColumnDetail) and not made.default:
        source = now.draft.origins[key].source
        if source.has_default():
            return replace(made, default=found.default)
    return made


def _glanced(connection: BaseDatabaseWrapper, now: Situation, wanted: Mapping[Key, Detail]) -> Iterator[Difference]:
    """Compare what could not be rehearsed as every run does."""
    blind = {key for key in now.diff.shared if key not in wanted}
    types = {item.type for key in blind if isinstance(item := now.diff.shared[key][0], Column)}
    if blind:
        for one in glance(now.diff, catalog.resolve_types(connection, types)):
            if one.key in blind and one.fact != "enforced":
                yield one


def _outdated(connection: BaseDatabaseWrapper, now: Situation) -> dict[str, tuple[str, str]]:
    names = [found.name for _, found in now.diff.shared.values() if isinstance(found, Extension)]
    found = rows(connection, OUTDATED, [names]) if names else []
    return {name: (installed, offered) for name, installed, offered in found}


def _strangers(connection: BaseDatabaseWrapper, now: Situation) -> dict[str, list[str]]:
    """Return the tables that neither the plugins have nor any other installed model, which another command makes."""
    named = sorted({table.namespace for table in now.draft.contents if table.namespace})
    every = apps.get_models(include_auto_created=True, include_swapped=True)
    known = {*now.draft.tables, *(table_name(model._meta.db_table) for model in every)}
    ours = [item.oid for item in now.actual.values() if isinstance(item, Table)]
    result = defaultdict(list)
    for schema, name in rows(connection, STRANGERS, [named, ours]) if named else []:
        if name != OF_DJANGO and not known & {TableName("", name), TableName(schema, name)}:
            result[schema].append(name)
    return dict(result)
