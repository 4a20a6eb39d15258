"""A drawing of what is around one thing: rings of nodes, laid out the same way every time, as SVG."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, pi, sin
from typing import Any

from core_tables.admin.shown import brief

SIZE = 720  # units of the drawing, both ways
RING = 110  # between one ring and the next
LABEL = 18  # characters
APART = 10  # of a label from its node


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A named place.

    step: how many steps away from the middle it is.
    """

    name: str
    page: str | None
    step: int
    x: float
    y: float

    @property
    def label(self) -> str:
        return brief(self.name, LABEL)

    @property
    def anchor(self) -> str:
        """Which end of the label is at the node."""
        return "start" if self.x >= SIZE / 2 else "end"

    @property
    def turn(self) -> float:
        """By how many degrees the label is turned: away from the middle, and never upside down."""
        if not self.step:
            return 0
        angle = degrees(atan2(self.y - SIZE / 2, self.x - SIZE / 2))
        return round(angle if self.anchor == "start" else angle + 180, 1)

    @property
    def text_x(self) -> float:
        return round(self.x + (APART if self.anchor == "start" else -APART), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A line, with both ends cut off where the nodes are."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    size: int = SIZE


def drawing(
    steps: Mapping[Any, int],
    pairs: Iterable[tuple[Any, Any]],
    names: Mapping[Any, str],
    pages: Mapping[Any, str],
) -> Drawing:
    """Lay out what is so many steps away from the one that is none away.

    Args:
        steps: {id: how many steps away}, one of them 0.
        pairs: the ids that are joined by an arrow, from the first to the second.
        names: {id: what it is called}.
        pages: {id: the address of its page}, for those that lead somewhere.
    """
    arrows = sorted({pair for pair in pairs if pair[0] != pair[1]}, key=str)
    places = _places(steps, arrows, names)
    nodes = [
        Node(name=names.get(key, str(key)), page=pages.get(key), step=steps[key], x=x, y=y)
        for key, (x, y) in places.items()
    ]
    edges = [_edge(*places[source], *places[target]) for source, target in arrows]
    return Drawing(nodes=tuple(nodes), edges=tuple(edges))


def _places(
    steps: Mapping[Any, int], pairs: Iterable[tuple[Any, Any]], names: Mapping[Any, str]
) -> dict[Any, tuple[float, float]]:
    """Put each ring in the order of the ring within, so that few lines cross."""
    joined: dict[Any, set[Any]] = {key: set() for key in steps}
    for source, target in pairs:
        joined[source].add(target)
        joined[target].add(source)
    places: dict[Any, tuple[float, float]] = {}
    angles: dict[Any, float] = {}
    for step in range(max(steps.values()) + 1):
        ring = [key for key, far in steps.items() if far == step]
        inner = {key: min((angles[one] for one in joined[key] if one in angles), default=2 * pi) for key in ring}
        ring.sort(key=lambda key: (inner[key], names.get(key, ""), str(key)))
        for number, key in enumerate(ring):
            # By half a place, so that none lies behind the label of the middle.
            angles[key] = 2 * pi * (number + 0.5) / len(ring)
            across, down = RING * step * cos(angles[key]), RING * step * sin(angles[key])
            places[key] = (round(SIZE / 2 + across, 1), round(SIZE / 2 + down, 1))
    return places


def _edge(x1: float, y1: float, x2: float, y2: float) -> Edge:
    length = hypot(x2 - x1, y2 - y1) or 1
    cut_x, cut_y = (x2 - x1) / length * APART, (y2 - y1) / length * APART
    return Edge(x1=round(x1 + cut_x, 1), y1=round(y1 + cut_y, 1), x2=round(x2 - cut_x, 1), y2=round(y2 - cut_y, 1))
