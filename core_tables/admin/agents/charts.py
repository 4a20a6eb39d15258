"""Bars as SVG: the geometry, which a template draws."""

from collections.abc import Sequence
from dataclasses import dataclass

from core_tables.admin.agents.memories import Day
from core_tables.admin.bounded import rounded

WIDTH, HEIGHT = 600, 140  # units of the drawing, which stretches to the page
LEFT, TOP, BOTTOM = 50, 10, 20
GAP = 0.2  # of a bar's place
LOWEST = 1.5  # a single memory is still seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    day: Day


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars of days.

    top: the number at the upper edge.
    """

    bars: tuple[Bar, ...]
    top: int
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    upper: int = TOP
    lower: int = HEIGHT - BOTTOM

    @property
    def is_estimate(self) -> bool:
        return any(bar.day.amount.about is not None for bar in self.bars)

    @property
    def top_label(self) -> str:
        return f"{rounded(self.top) if self.is_estimate else self.top:,}"

    @property
    def total(self) -> str:
        amounts = [bar.day.amount for bar in self.bars]
        total = sum(amount.likely for amount in amounts)
        return f"about {rounded(total):,}" if self.is_estimate else f"{total:,}"


def chart(days: Sequence[Day]) -> Chart:
    """Lay out a bar for each day."""
    top = max((day.amount.likely for day in days), default=0)
    place = (WIDTH - LEFT) / max(len(days), 1)
    return Chart(bars=tuple(_bar(day, LEFT + number * place, place, top) for number, day in enumerate(days)), top=top)


def _bar(day: Day, x: float, place: float, top: int) -> Bar:
    share = day.amount.likely / top if top else 0
    height = max(share * (HEIGHT - TOP - BOTTOM), LOWEST if share else 0)
    return Bar(
        x=round(x + place * GAP / 2, 2),
        y=round(HEIGHT - BOTTOM - height, 2),
        width=round(place * (1 - GAP), 2),
        height=round(height, 2),
        day=day,
    )
