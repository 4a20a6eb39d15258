"""What declarations read: the fields in expressions and conditions, whose columns must be there first. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models.expressions import RawSQL

from agentsql.names import clip

if TYPE_CHECKING:
    from django.db.models import Model


def columns_of(model: type[Model], source: Any) -> frozenset[str] | None:
    """Return the columns that a declared index or constraint reads, conditions and expressions included.

    None where raw SQL or something unknown may read any.
    """
    meta: Any = model._meta
    names = {name for name, _ in getattr(source, "fields_orders", ())}
    names |= {*getattr(source, "fields", ()), *(getattr(source, "include", None) or ())}
    parts = [*(getattr(source, "expressions", None) or ()), getattr(source, "condition", None)]
    if isinstance(source, ExclusionConstraint):
        excluded = [expression for expression, _ in source.expressions]
        parts = [*(models.F(part) if isinstance(part, str) else part for part in excluded), source.condition]
    names |= {name.partition("__")[0] for part in parts for name in named(part)}
    try:
        return frozenset(clip(meta.get_field(name).column) for name in names)
    except (FieldDoesNotExist, AttributeError):
        return None


def named(expression: Any) -> Iterator[str]:
    """Yield what an expression reads: names of fields, maybe with lookups; "" for what only SQL knows."""
    if isinstance(expression, models.Q):
        for child in expression.children:
            if isinstance(child, tuple):
                yield child[0]
                yield from named(child[1])
            else:
                yield from named(child)
    elif isinstance(expression, models.F):
        yield expression.name  # type: ignore[attr-defined]
    elif isinstance(expression, RawSQL):
        yield ""
    elif isinstance(expression, list | tuple):
        for part in expression:
            yield from named(part)
    elif hasattr(expression, "get_source_expressions"):
        for part in expression.get_source_expressions():
            yield from named(part)
