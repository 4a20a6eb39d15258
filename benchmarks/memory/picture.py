"""The picture of growth: two panels over the number of memories, in SVG that reads on light and on dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.memory.race import Found

WIDTH, HEIGHT = 860, 440
SIDE, TOP, FOOT = 60, 56, 120  # what frames a panel; its figures are below it
PANEL = (WIDTH - 3 * SIDE) / 2
INSET = 36  # of the first and the last size
LINE = 17
# Mid colours, and shapes beside them for those who do not tell colours apart.
COLOURS = ("#2f81c7", "#d2691e", "#3c9a5f", "#b0559e")
GREY = "#808890"
SHOWN = ("100%", "10%", "1%", "0.1%")


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured at a size: rows per second, and searches by the name of their scope."""

    size: int
    rate: float
    searches: dict[str, Found]


@dataclass(frozen=True, slots=True)
class Panel:
    """A frame with a logarithmic axis below, and one at its side that is so too, or begins at 0."""

    left: float
    title: str
    sizes: Sequence[int]
    ticks: Sequence[float]
    logarithmic: bool

    def x(self, size: float) -> float:
        low, high = math.log(self.sizes[0]), math.log(self.sizes[-1])
        return self.left + INSET + (PANEL - 2 * INSET) * (math.log(size) - low) / max(high - low, 1e-9)

    def y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        share = math.log(value / low) / math.log(high / low) if self.logarithmic else (value - low) / (high - low)
        return HEIGHT - FOOT - (HEIGHT - TOP - FOOT) * share

    def frame(self) -> Iterator[str]:
        """Yield title, grid and ticks."""
        yield text(self.left, TOP - 26, self.title, anchor="start", weight="bold")
        for tick in self.ticks:
            right = self.left + PANEL
            yield f'<path d="M{self.left:.1f} {self.y(tick):.1f}H{right:.1f}" stroke="{GREY}" stroke-opacity=".35"/>'
            yield text(self.left - 8, self.y(tick) + 4, f"{tick:,g}", anchor="end")
        for size in self.sizes:
            yield text(self.x(size), HEIGHT - FOOT + LINE + 3, short(size))

    def figures(self, row: int, name: str, cells: Iterable[str], colour: str) -> Iterator[str]:
        """Yield a line of figures below the panel, one for each size."""
        y = HEIGHT - FOOT + 3 + LINE * (row + 2)
        yield text(self.left - 8, y, name, anchor="end", colour=colour)
        for size, cell in zip(self.sizes, cells, strict=True):
            yield text(self.x(size), y, cell, colour=colour)

    def line(self, values: Iterable[float], colour: str, dashes: str = "") -> str:
        """Return a line through a value for each size, with a dot at each."""
        places = [(self.x(size), self.y(value)) for size, value in zip(self.sizes, values, strict=True)]
        path = " ".join(f"{'L' if number else 'M'}{x:.1f} {y:.1f}" for number, (x, y) in enumerate(places))
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
        return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>{dots}'


def draw(points: Sequence[Point]) -> str:
    """Return the picture; all its figures are in it as text."""
    rates = {point.size: point.rate for point in points}
    medians = {name: [point.searches[name].p50 * 1000 for point in points] for name in SHOWN}
    slow = {name: [point.searches[name].p95 * 1000 for point in points] for name in SHOWN}
    parts = [*_inserts(rates), *_searches(list(rates), medians, slow)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12">'
    )
    return "\n".join([head, f"<title>{_summary(rates, medians)}</title>", *parts, "</svg>\n"])


def _inserts(rates: Mapping[int, float]) -> Iterator[str]:
    panel = Panel(SIDE, "bulk_add(), memories a second", list(rates), _ticks(max(rates.values())), logarithmic=False)
    yield from panel.frame()
    yield panel.line(rates.values(), COLOURS[0])
    yield from panel.figures(0, "", (f"{rate:,.0f}" for rate in rates.values()), COLOURS[0])


def _searches(sizes: list[int], medians: Mapping[str, list[float]], slow: Mapping[str, list[float]]) -> Iterator[str]:
    values = [value for lines in (medians, slow) for line in lines.values() for value in line]
    powers = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
    title = "search(), ms, by share in scope: p50 (p95 dotted)"
    panel = Panel(PANEL + 2 * SIDE, title, sizes, [10.0**power for power in powers], logarithmic=True)
    yield from panel.frame()
    for row, (name, colour) in enumerate(zip(SHOWN, COLOURS, strict=True)):
        yield panel.line(slow[name], colour, "2 4")
        yield panel.line(medians[name], colour)
        cells = (f"{p50:.1f} ({p95:.1f})" for p50, p95 in zip(medians[name], slow[name], strict=True))
        yield from panel.figures(row, name, cells, colour)


def _ticks(highest: float) -> list[float]:
    """Return round numbers from 0 to above the highest, six of them at most."""
    power = 10 ** math.floor(math.log10(highest))
    step = next(one * power for one in (0.2, 0.5, 1, 2) if one * power * 5 >= highest)
    return [step * number for number in range(math.ceil(highest / step) + 1)]


def _summary(rates: Mapping[int, float], medians: Mapping[str, list[float]]) -> str:
    adds = ", ".join(f"{rate:,.0f} a second at {short(size)}" for size, rate in rates.items())
    finds = "; ".join(f"{name}: {', '.join(f'{one:.1f}' for one in line)}" for name, line in medians.items())
    return f"Memories stored: {adds}. Median search in ms, by share of the memories in scope: {finds}."


def text(
    x: float, y: float, content: str, *, anchor: str = "middle", weight: str = "normal", colour: str = GREY
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-weight="{weight}" fill="{colour}">{content}</text>'


def short(size: int) -> str:
    """Return 10000 as 10k."""
    return f"{size // 10**6}M" if size >= 10**6 else f"{size // 1000}k"
