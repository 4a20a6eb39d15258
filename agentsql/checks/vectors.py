"""What models ask of pgvector: the columns of its types and what its indexes are on, read without a query.

Types and methods are known by their SQL names, so that nothing of pgvector has to be imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.postgres.indexes import OpClass
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ExpressionWrapper, F
from django.db.models.expressions import OrderBy
from django.db.models.functions import Cast

from agentsql.extensions import base_type
from agentsql.facts import access_method
from agentsql.reads import named

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Field, Index, Model

METHODS = frozenset({"hnsw", "ivfflat"})
TYPES = frozenset({"vector", "halfvec", "sparsevec"})


class Part(NamedTuple):
    """What a vector index is on: a type text ("" where only the server knows it), an operator class ("": unnamed)."""

    index_name: str
    method: str
    name: str
    type: str
    opclass: str


def columns(model: type[Model], connection: BaseDatabaseWrapper) -> Iterator[tuple[Field[Any, Any], str]]:
    """Yield the fields of a pgvector type, or of arrays of one, each with its type text."""
    for field in model._meta.local_concrete_fields:
        text = "" if field.remote_field else field.db_parameters(connection)["type"] or ""
        if base_type(text) in TYPES:
            yield field, text


def parts(model: type[Model], connection: BaseDatabaseWrapper) -> Iterator[Part]:
    """Yield what each vector index of a model is on."""
    for index in model._meta.indexes:
        method = access_method(index)
        if method not in METHODS:
            continue
        opclasses = [*index.opclasses, *[""] * len(index.fields)]
        for (name, _), opclass in zip(index.fields_orders, opclasses, strict=False):
            yield Part(index.name, method, name, _type(model, name, connection), opclass)
        for expression in index.expressions:
            yield _part(model, index, expression, connection)


def width(text: str) -> int | None:
    """Return 384 for "vector(384)", None for "vector"."""
    found = re.search(r"\((\d+)\)", text)
    return int(found[1]) if found else None


def _part(model: type[Model], index: Index, expression: Any, connection: BaseDatabaseWrapper) -> Part:
    """Judge an expression by its outermost cast, or as the field that it only wraps; any other is the server's."""
    opclass = ""
    while isinstance(expression, OrderBy | ExpressionWrapper | OpClass):
        opclass = expression.extra["name"] if isinstance(expression, OpClass) else opclass
        expression = expression.get_source_expressions()[0]
    text = ""
    if isinstance(expression, F):
        text = _type(model, _named(expression), connection)
    elif isinstance(expression, Cast):
        text = expression.output_field.db_type(connection) or ""
    return Part(index.name, access_method(index) or "", _named(expression), text, opclass)


def _named(expression: Any) -> str:
    """Return the field that an expression reads first."""
    return next(iter(named(expression)), "expression")


def _type(model: type[Model], name: str, connection: BaseDatabaseWrapper) -> str:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:  # models.E012 tells
        return ""
    return getattr(field, "db_type", lambda _: None)(connection) or ""
