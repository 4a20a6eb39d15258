"""Vectors whose likeness is known: a few leading numbers, zeros after them, and clusters as real texts form them."""

import math
import random

WIDTH = 384


def vector(*leading, width=WIDTH):
    return [*map(float, leading), *[0.0] * (width - len(leading))]


def at(degrees, *, width=WIDTH):
    """A vector at this angle from `vector(1)`: their similarity is its cosine."""
    return vector(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), width=width)


def clustered(count, *, clusters=20, spread=0.7, width=WIDTH, seed=7):
    """Unit vectors around so many centres."""
    rng = random.Random(seed)
    centres = [[rng.gauss(0, 1) for _ in range(width)] for _ in range(clusters)]
    return [_unit([x + spread * rng.gauss(0, 1) for x in rng.choice(centres)]) for _ in range(count)]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def _unit(numbers):
    length = math.hypot(*numbers)
    return [x / length for x in numbers]
