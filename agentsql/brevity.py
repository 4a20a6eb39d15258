"""What may be a whole document, cut so that a sentence stays one. Standard library only."""

from __future__ import annotations

import re

LONGEST = 200  # characters of a value that is shown
LINE_BREAK = re.compile(r"\s*\n\s*")
BEFORE = 40  # of them, what two long ones have in common before they differ


def shorten(words: str) -> str:
    """Cut what may be a whole document."""
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


def apart(one: str, other: str) -> tuple[str, str]:
    """Cut two that differ, each so that it is seen where they do; line breaks become blanks."""
    first, second = (LINE_BREAK.sub(" ", text.strip()) for text in (one, other))
    if first == second:  # they differ in line breaks, maybe within a literal
        first, second = one, other
    pairs = zip(first, second, strict=False)
    common = next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))
    start = common - BEFORE if common > LONGEST - BEFORE else 0
    return _from(start, first), _from(start, second)


def _from(start: int, words: str) -> str:
    return words if len(words) <= LONGEST else ("…" if start else "") + shorten(words[start:])
