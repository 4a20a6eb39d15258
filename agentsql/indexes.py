"""An index in words close to SQL, and where it is. Pure."""

from __future__ import annotations

from agentsql.details import IndexDetail
from agentsql.names import TableName
from agentsql.schema import Structure, Table

ORDERS = ("", " DESC NULLS LAST", " NULLS FIRST", " DESC")  # by pg_index.indoption: 1 DESC, 2 NULLS FIRST
USUAL = {"", '"default"'}  # collations that are not told


def index_place(home: Table, name: str) -> TableName:
    """Return an index with its schema, which is its table's: search_path may find another of that name first."""
    return TableName(home.schema or home.table.namespace, name)


def dropping_index(home: Table, name: str) -> str:
    """Return the statement that drops an index; one of a partitioned table can't be dropped CONCURRENTLY."""
    return f"DROP INDEX {'' if home.relkind == 'p' else 'CONCURRENTLY '}{index_place(home, name).quoted}"


def index_text(detail: IndexDetail | Structure) -> str:
    """Return an index in words close to SQL; two that are compared as different read differently."""
    if isinstance(detail, Structure):
        predicate, nulls_not_distinct = "", not detail.nulls_distinct
    else:
        predicate, nulls_not_distinct = detail.predicate, detail.nulls_not_distinct
    text = f"{'unique ' if detail.unique else ''}{detail.method} on ({keys_text(detail)})"
    text += f" INCLUDE ({', '.join(detail.include)})" if detail.include else ""
    text += " NULLS NOT DISTINCT" if nulls_not_distinct else ""
    return text + (f" WHERE {predicate}" if predicate else "")


def keys_text(detail: IndexDetail | Structure) -> str:
    """Return the keys of an index with all that a CREATE INDEX may say of each."""
    if isinstance(detail, Structure):
        parts, collations = detail.columns, ("",) * len(detail.columns)
    else:
        parts, collations = detail.parts, detail.collations
    return ", ".join(
        part
        + (f" COLLATE {collation}" if collation not in USUAL else "")
        + (f" {opclass}" if opclass else "")
        + ORDERS[option & 3]
        for part, collation, opclass, option in zip(parts, collations, detail.opclasses, detail.options, strict=True)
    )
