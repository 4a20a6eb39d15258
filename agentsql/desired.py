"""Models to a schema: what the database must hold.

Facts only, because a run that finds nothing missing should cost little more than loading the models. An `Origin`
remembers where each object came from, so that the statement for one that is missing can be rendered later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from agentsql.editor import DryRun, table_name
from agentsql.facts import Dialect, Fact, ModelFacts
from agentsql.implied import implied
from agentsql.names import TableName
from agentsql.schema import Constraint, Extension, Key, Kind, Namespace, SchemaObject

if TYPE_CHECKING:
    from django.db.models import Model

    from agentsql.discover import Plugin


SAME_BY_COLUMNS = {Kind.UNIQUE, Kind.FOREIGN_KEY}  # said twice, they mean one thing


class Origin(NamedTuple):
    """Where an object comes from: `render(editor, model, source)` gives its statements.

    `inline` says that CREATE TABLE brings it along. Extensions and namespaces have no model: models imply them.
    """

    app: str
    model: type[Model] | None = None
    render: Callable[..., list[Any]] | None = None
    source: Any = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """The desired schema with origins, filled by `draft` and only read afterwards.

    contents: the keys of each table, in the order stated. requires: what an object needs beyond its own table.
    rivals: models that want a table which another model has. clashes: keys that a model states twice.
    unreadable: models whose declarations are wrong, with the error.
    """

    objects: dict[Key, SchemaObject] = field(default_factory=dict)
    origins: dict[Key, Origin] = field(default_factory=dict)
    contents: dict[TableName, list[Key]] = field(default_factory=dict)
    requires: dict[Key, frozenset[Key]] = field(default_factory=dict)
    rivals: list[tuple[TableName, type[Model], type[Model]]] = field(default_factory=list)
    clashes: list[tuple[Key, type[Model]]] = field(default_factory=list)
    unreadable: list[tuple[type[Model], Exception]] = field(default_factory=list)

    @property
    def tables(self) -> list[TableName]:
        """The desired tables, then those that foreign keys point to."""
        names = dict.fromkeys(self.contents)
        for item in self.objects.values():
            if isinstance(item, Constraint) and item.target is not None:
                names[item.target] = None
        return list(names)


def draft(plugins: Iterable[Plugin], editor: DryRun, dialect: Dialect) -> Draft:
    """State everything that the models of these plugins need."""
    result = Draft()
    owners: dict[TableName, type[Model]] = {}
    for plugin in plugins:
        for model in plugin.models:
            table = table_name(model._meta.db_table)
            owner = owners.setdefault(table, model)
            if owner is not model:
                result.rivals.append((table, owner, model))
                continue
            try:
                facts = ModelFacts(model, table, editor, dialect)
                stated, needed = list(facts.objects()), list(implied(facts))
            except Exception as error:  # noqa: BLE001 whatever a wrong declaration raises, other models are fine
                result.unreadable.append((model, error))
            else:
                _add(result, plugin.label, facts, stated, needed)
    return result


def _add(result: Draft, app: str, facts: ModelFacts, stated: Iterable[Fact], needed: Iterable[tuple[Key, str]]) -> None:
    contents = result.contents.setdefault(facts.table, [])
    for item, render, source, inline in stated:
        key = item.key
        if key in result.objects:
            if key.kind not in SAME_BY_COLUMNS:
                result.clashes.append((key, facts.model))
        else:
            result.objects[key] = item
            result.origins[key] = Origin(app, facts.model, render, source, inline)
            contents.append(key)
    if facts.table.namespace:
        _require(result, app, Key(facts.table, Kind.TABLE), Namespace(name=facts.table.namespace))
    for key, name in needed:
        _require(result, app, key, Extension(name=name))


def _require(result: Draft, app: str, key: Key, item: Extension | Namespace) -> None:
    result.objects.setdefault(item.key, item)
    result.origins.setdefault(item.key, Origin(app))
    result.requires[key] = result.requires.get(key, frozenset()) | {item.key}
