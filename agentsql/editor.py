"""Statements from Django's own schema editor, one object at a time and without a query.

The dry-run editor is the connection's schema editor class with the few methods overridden that would ask the server
or join several objects into one statement. This is the only module that leans on Django's private editor API;
tests/test_editor.py names every private method it uses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import models
from django.db.backends.ddl_references import Statement
from django.db.backends.utils import split_identifier

from agentsql.names import TableName, clip, quoted

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model
    from django.db.models.constraints import BaseConstraint

ModelField: TypeAlias = Any  # django.db.models.Field, of whose attributes the stubs know too few

FOREIGN_KEY_SUFFIX = "_fk_%(to_table)s_%(to_column)s"
SEPARATOR = '"."'  # db_table = 'ai"."memories' is how Django users name another schema


def quote(name: str) -> str:
    """Quote an identifier, or a schema-qualified one in Django's `ai"."memories` spelling; quotes inside double."""
    return ".".join(quoted(part) for part in _bare(name).split(SEPARATOR))


def table_name(db_table: str) -> TableName:
    """Return the place of a model's table as the server will keep it."""
    namespace, separator, name = _bare(db_table).partition(SEPARATOR)
    return TableName(clip(namespace), clip(name)) if separator else TableName("", clip(namespace))


def _bare(name: str) -> str:
    return name[1:-1] if len(name) > 1 and name.startswith('"') and name.endswith('"') else name


def is_inline(constraint: BaseConstraint) -> bool:
    """Tell whether Django writes a constraint into CREATE TABLE; the others are statements of their own."""
    from django.contrib.postgres.constraints import ExclusionConstraint  # noqa: PLC0415 it imports psycopg

    if isinstance(constraint, models.UniqueConstraint):
        return not is_unique_index(constraint) and constraint.nulls_distinct is None
    return isinstance(constraint, models.CheckConstraint | ExclusionConstraint)


def is_unique_index(constraint: Any) -> bool:
    """Tell whether a unique constraint is an index to PostgreSQL: partial, covering, on expressions or opclasses."""
    return bool(constraint.condition or constraint.include or constraint.opclasses or constraint.contains_expressions)


Template = tuple[str, str]  # what to replace in a statement's template, and by what
CONCURRENTLY: Template = ("INDEX %(name)s", "INDEX CONCURRENTLY %(name)s")
ON_ONLY: Template = ("ON %(table)s", "ON ONLY %(table)s")
AS_IT_IS: Template = ("", "")


def is_made_of(statement: Any, template: Template) -> bool:
    """Tell whether a statement has the template we know; a custom index may write its own."""
    return isinstance(statement, Statement) and template[0] in statement.template


def respelled(statement: Statement, template: Template = AS_IT_IS, **parts: str) -> str:
    """Return a statement of Django's by another template over the same parts, some of them exchanged."""
    changed = statement.template.replace(*template, 1)
    return str(Statement(changed, **(statement.parts | parts)))


class DryRun:
    """Mixed into a connection's schema editor class; renders statements as they will run, values included."""

    connection: Any
    nondeterministic_collations: Collection[str] = ()
    bare = False  # without schemas but pg_temp, where the tables are made
    defaults: dict[ModelField, Any]  # answers of `defaults.standing_default`

    def quote_name(self, name: str) -> str:
        return quote(_bare(name).rpartition(SEPARATOR)[2] if self.bare else name)

    def _is_collation_deterministic(self, collation_name: str) -> bool:
        return collation_name not in self.nondeterministic_collations

    def index_name(self, db_table: str, columns: Iterable[str], suffix: str = "") -> str:
        """Return the name Django gives an index or constraint that has none."""
        return clip(self._create_index_name(db_table, list(columns), suffix=suffix))  # type: ignore[attr-defined]

    def foreign_key_name(self, field: ModelField) -> str:
        target = field.target_field
        to_table = split_identifier(target.model._meta.db_table)[1]
        suffix = FOREIGN_KEY_SUFFIX % {"to_table": to_table, "to_column": target.column}
        return self.index_name(field.model._meta.db_table, [field.column], suffix)

    # One object each, as a list of statements that belong together.

    def table(self, model: type[Model], without: Collection[Any] | None = None) -> list[str]:
        """CREATE TABLE with everything Django writes inline but for these of Meta.constraints, then the comments."""
        meta = model._meta
        columns = [field for field in meta.local_fields if field.db_parameters(self.connection)["type"] is not None]
        parts = [self._definition(model, field, inline=True) for field in columns]
        constraints: list[Any] = [item for item in meta.constraints if is_inline(item) and item not in (without or ())]
        parts += [str(item.constraint_sql(model, self)) for item in constraints]
        if isinstance(meta.pk, models.CompositePrimaryKey):
            parts.append(f"PRIMARY KEY ({self._quoted(meta.pk.columns)})")
        place = ('"pg_temp".' if self.bare else "") + self.quote_name(meta.db_table)
        sql = f"CREATE TABLE {place} ({', '.join(parts)})"
        if meta.db_tablespace:
            sql += f" {self.connection.ops.tablespace_sql(meta.db_tablespace)}"
        comments = [self._column_comment(model, field) for field in columns if field.db_comment]
        if meta.db_table_comment:
            literal = self.quote_value(meta.db_table_comment)  # type: ignore[attr-defined]
            comments.insert(0, f"COMMENT ON TABLE {self.quote_name(meta.db_table)} IS {literal}")
        return [sql, *comments]

    def column(self, model: type[Model], field: ModelField, default: str | None = None) -> list[str]:
        """ADD COLUMN alone: its unique, check and foreign key constraints are objects of their own.

        `default` is SQL that existing rows get, and that stays: processes that still run the old code insert without
        naming the column.
        """
        definition = self._definition(model, field, inline=False)
        if default is not None:
            definition += f" DEFAULT {default}"
        return [
            f"ALTER TABLE {self.quote_name(model._meta.db_table)} ADD COLUMN {definition}",
            *self.comments(model, field),
        ]

    def primary_key(self, model: type[Model], columns: Iterable[str]) -> list[str]:
        return [f"ALTER TABLE {self.quote_name(model._meta.db_table)} ADD PRIMARY KEY ({self._quoted(columns)})"]

    def field_unique(self, model: type[Model], field: ModelField) -> list[str]:
        sql = f"ALTER TABLE {self.quote_name(model._meta.db_table)} ADD UNIQUE ({self.quote_name(field.column)})"
        tablespace = field.db_tablespace or model._meta.db_tablespace
        return [f"{sql} {self.connection.ops.tablespace_sql(tablespace, inline=True)}" if tablespace else sql]

    def field_check(self, model: type[Model], field: ModelField) -> list[str]:
        check = field.db_parameters(connection=self.connection)["check"]
        return [f"ALTER TABLE {self.quote_name(model._meta.db_table)} ADD CHECK ({check})"]

    def field_index(self, model: type[Model], field: ModelField) -> list[Statement]:
        return [self._create_index_sql(model, fields=[field])]  # type: ignore[attr-defined]

    def like_index(self, model: type[Model], field: ModelField) -> list[Statement]:
        return [self._create_like_index_sql(model, field)]  # type: ignore[attr-defined]

    def foreign_key(self, model: type[Model], field: ModelField) -> list[Statement]:
        """ADD CONSTRAINT; ON DELETE is the database's work where the field's rule knows how to say it (DB_CASCADE)."""
        statement = self._create_fk_sql(model, field, FOREIGN_KEY_SUFFIX)  # type: ignore[attr-defined]
        on_delete = getattr(field.remote_field.on_delete, "on_delete_sql", None)
        if on_delete is not None and "on_delete_db" not in statement.parts:  # Django before 6.1
            statement.template = statement.template.replace("%(deferrable)s", "%(on_delete_db)s%(deferrable)s")
            statement.parts["on_delete_db"] = on_delete(self)
        return [statement]

    def unique_together(self, model: type[Model], fields: Iterable[str]) -> list[Statement]:
        columns = [model._meta.get_field(name) for name in fields]
        return [self._create_unique_sql(model, columns)]  # type: ignore[attr-defined]

    def declared(self, model: type[Model], item: models.Index | BaseConstraint) -> list[Statement]:
        """Render a member of Meta.indexes or Meta.constraints."""
        return [item.create_sql(model, self)]  # type: ignore[arg-type, list-item]

    # Parts of what a table in use gets in several actions.

    def bare_column(self, field: ModelField) -> str:
        """Return a column's name, type and collation: no default and no constraint."""
        parameters = field.db_parameters(connection=self.connection)
        definition = f"{self.quote_name(field.column)} {parameters['type']}"
        collation = parameters.get("collation")
        return f"{definition} {self._collate_sql(collation)}" if collation else definition  # type: ignore[attr-defined]

    def comments(self, model: type[Model], field: ModelField) -> list[str]:
        return [self._column_comment(model, field)] if field.db_comment else []

    def database_default(self, field: ModelField) -> str:
        """Return a field's `db_default` as SQL."""
        return self.compose(*self.db_default_sql(field))  # type: ignore[attr-defined]

    def deferrability(self, source: Any) -> str:
        """Return how a declared unique constraint defers: "" or " DEFERRABLE INITIALLY DEFERRED"."""
        return str(self._deferrable_constraint_sql(getattr(source, "deferrable", None)))  # type: ignore[attr-defined]

    def tablespace(self, model: type[Model], source: Any) -> str:
        """Return where the index of a field's own unique constraint goes: "" or " TABLESPACE fast"."""
        name = isinstance(source, models.Field) and (source.db_tablespace or model._meta.db_tablespace)
        return f" {self.connection.ops.tablespace_sql(name)}" if name else ""

    def literal(self, field: ModelField, value: Any) -> str:
        """Return a value as SQL of a field's type."""
        return self.compose("%s", [field.get_db_prep_save(value, self.connection)])

    def compose(self, sql: str, params: Any) -> str:
        """Merge values into SQL by psycopg's own quoting: PostgreSQL takes no parameters in DDL."""
        return str(self.connection.ops.compose_sql(sql, params)) if params else sql

    def _definition(self, model: type[Model], field: ModelField, *, inline: bool) -> str:
        self.inline = inline
        definition, params = self.column_sql(model, field)  # type: ignore[attr-defined]
        definition = f"{self.quote_name(field.column)} {self.compose(definition, params)}"
        check = field.db_parameters(connection=self.connection)["check"]
        if check and inline:
            definition += f" CHECK ({check})"
        suffix = field.db_type_suffix(self.connection)
        return f"{definition} {suffix}" if suffix else definition

    def _iter_column_sql(self, *args: Any) -> Iterator[str]:
        for part in super()._iter_column_sql(*args):  # type: ignore[misc]
            if self.inline or not part.startswith(("PRIMARY KEY", "UNIQUE", "USING INDEX TABLESPACE")):
                yield part

    def _column_comment(self, model: type[Model], field: ModelField) -> str:
        literal = self.quote_value(field.db_comment)  # type: ignore[attr-defined]
        return f"COMMENT ON COLUMN {self.quote_name(model._meta.db_table)}.{self.quote_name(field.column)} IS {literal}"

    def _quoted(self, columns: Iterable[str]) -> str:
        return ", ".join(self.quote_name(column) for column in columns)


def dry_run(
    connection: BaseDatabaseWrapper, nondeterministic_collations: Collection[str] = (), *, bare: bool = False
) -> DryRun:
    """Return a schema editor that renders and never executes.

    `bare` leaves out the schemas of `ai"."memories`, and makes tables in pg_temp.
    """
    parent: Any = connection.SchemaEditorClass
    editor: DryRun = type("DryRunEditor", (DryRun, parent), {})(connection, collect_sql=True)
    editor.nondeterministic_collations = nondeterministic_collations
    editor.defaults = {}
    editor.bare = bare
    return editor
