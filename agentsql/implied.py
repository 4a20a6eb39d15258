"""The extensions that one model's table implies, by what each is needed for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.indexes import OpClass
from django.db import models

from agentsql import extensions
from agentsql.facts import ModelFacts, access_method
from agentsql.names import clip
from agentsql.schema import Key, Kind


def implied(facts: ModelFacts) -> Iterator[tuple[Key, str]]:
    """Yield objects with an extension they can't be made without; CREATE TABLE needs what its inline parts need."""
    table = Key(facts.table, Kind.TABLE)
    for column, type_text in facts.types.items():
        for name in extensions.of_type(type_text):
            yield Key(facts.table, Kind.COLUMN, (column,)), name
            yield table, name
    for index in facts.meta.indexes:
        for name in _of_index(index, facts):
            yield Key(facts.table, Kind.INDEX, (clip(index.name),)), name
    for constraint in facts.meta.constraints:
        if isinstance(constraint, ExclusionConstraint):
            for name in _of_exclusion(constraint, facts):
                yield Key(facts.table, Kind.EXCLUSION, (clip(constraint.name),)), name
                yield table, name


def _of_index(index: models.Index, facts: ModelFacts) -> Iterator[str]:
    method = access_method(index) or ""
    opclasses = list(index.opclasses) or [""] * len(index.fields)
    types = [facts.types.get(column, "") for column in facts.columns(name for name, _ in index.fields_orders)]
    yield from extensions.of_index(method, opclasses, types)
    named = [part.extra["name"] for part in _flatten(index.expressions) if isinstance(part, OpClass)]
    yield from extensions.of_index(method, named, [""] * len(named))


def _of_exclusion(constraint: ExclusionConstraint, facts: ModelFacts) -> Iterator[str]:
    for expression, _ in constraint.expressions:
        name = getattr(expression, "name", expression)  # an F, or its name
        if isinstance(name, str):
            types = [facts.types.get(column, "") for column in facts.columns([name])]
            yield from extensions.of_index(constraint.index_type.lower(), [""], types)


def _flatten(expressions: Iterable[Any]) -> Iterator[Any]:
    for expression in expressions:
        if hasattr(expression, "flatten"):
            yield from expression.flatten()
