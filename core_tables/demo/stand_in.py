"""Vectors for projects without an embedding model: texts that share words are near each other, and that is all."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import hypot

WIDTH = 384
PLACES = 8  # of a word's own in a vector; two words seldom share one
WORD = re.compile(r"\w+")
LIGHT = 0.3
# Words that say little.
LITTLE = frozenset(
    WORD.findall(
        """
        a about an and are as at be by did do does for from had has have he her his how i in into is it its me my no not
        of on or our she so that the their them then there they this to up was we were what when where which who why
        will with you your
        """
    )
)
SHORTEST = 3  # letters that an ending leaves


class StandIn:
    """Embeds texts by hashing their words, the same on every machine. No model, and no meaning: tea is not like coffee.

    `AGENTSQL = {"EMBEDDER": "core_tables.demo.StandIn"}` lets a project without a model search the demo's vectors.
    """

    model = "stand-in-words-384"

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector of 384 numbers and the length 1 for each text."""
        return [_vector(text) for text in texts]


def _vector(text: str) -> list[float]:
    found = [0.0] * WIDTH
    for word in WORD.findall(text.lower()) or [text]:
        weight = LIGHT if word in LITTLE else 1.0
        for place, sign in _signs(_stem(word)):
            found[place] += weight * sign
    length = hypot(*found)
    # Words may cancel each other out, and zeros have no cosine.
    return [number / length for number in found] if length else _vector(f"{text} again")


def _stem(word: str) -> str:
    """Return a word without what English most often puts at its end, so that a kettle is near kettles."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) > len(ending) + SHORTEST:
            return word.removesuffix(ending)
    return word.removesuffix("e") if len(word) > SHORTEST + 1 else word


@lru_cache(maxsize=10_000)
def _signs(word: str) -> tuple[tuple[int, float], ...]:
    return tuple(_spread(blake2b(word.encode(errors="replace"), digest_size=4 * PLACES).digest()))


def _spread(digest: bytes) -> Iterator[tuple[int, float]]:
    for start in range(0, len(digest), 4):
        number = int.from_bytes(digest[start : start + 4], "big")
        yield number % WIDTH, 1.0 if number // WIDTH % 2 else -1.0
