"""The schema that models want as a picture: a box a table, in the order of plugins, and an arrow a foreign key.

No database is asked. How it is drawn is Graphviz's, and `agentsql.graphviz`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from agentsql.desired import Draft, draft
from agentsql.editor import dry_run
from agentsql.facts import Dialect
from agentsql.names import TableName
from agentsql.schema import Column, Constraint, Key, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.backends.base.base import BaseDatabaseWrapper

    from agentsql.discover import Plugin


class Cell(NamedTuple):
    """A column: `mark` is "PK", "FK", both or ""."""

    name: str
    type: str
    null: bool
    mark: str


class Arrow(NamedTuple):
    """A foreign key."""

    table: TableName
    columns: tuple[str, ...]
    target: TableName
    target_columns: tuple[str, ...]

    def __str__(self) -> str:
        return f"{', '.join(self.columns)} → {self.target}({', '.join(self.target_columns)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A table with its foreign keys; `app` is "" and there are no cells where it is no plugin's."""

    table: TableName
    app: str = ""
    cells: tuple[Cell, ...] = ()
    arrows: tuple[Arrow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Tables in the order of plugins and their models, those of others last."""

    boxes: tuple[Box, ...]

    @property
    def arrows(self) -> tuple[Arrow, ...]:
        return tuple(arrow for box in self.boxes for arrow in box.arrows)


def of_models(plugins: Iterable[Plugin], connection: BaseDatabaseWrapper) -> Picture:
    """Return the picture of what plugins' models want; the connection is only asked how it would spell types."""
    return picture(draft(plugins, dry_run(connection), Dialect()))


def picture(wanted: Draft) -> Picture:
    ours = [_box(table, contents, wanted) for table, contents in wanted.contents.items()]
    theirs = [Box(table=table) for table in wanted.tables if table not in wanted.contents]
    return Picture(boxes=(*ours, *theirs))


def _box(table: TableName, contents: Iterable[Key], wanted: Draft) -> Box:
    items = [wanted.objects[key] for key in contents]
    keys = [item for item in items if isinstance(item, Constraint)]
    primary = {name for key in keys if key.kind is Kind.PRIMARY_KEY for name in key.columns}
    arrows = tuple(
        Arrow(table, key.columns, key.target, key.target_columns)
        for key in keys
        if key.kind is Kind.FOREIGN_KEY and key.target is not None
    )
    foreign = {name for arrow in arrows for name in arrow.columns}
    marks = {"PK": primary, "FK": foreign}
    return Box(
        table=table,
        app=wanted.origins[Key(table, Kind.TABLE)].app,
        cells=tuple(
            Cell(
                name=item.name,
                type=item.type,
                null=not item.not_null,
                mark=" ".join(mark for mark, names in marks.items() if item.name in names),
            )
            for item in items
            if isinstance(item, Column)
        ),
        arrows=arrows,
    )
