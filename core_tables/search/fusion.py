"""One order out of several: reciprocal rank fusion, with recency and importance as terms of the same size.

    score = sum over the arms of  weight / (k + rank)                                       (1)
            + recency    * 0.5 ** (age / half_life)     / (k + 1)                           (2)
            + importance * rating / 10                  / (k + 1)                           (3)

(1) is Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
    Methods", SIGIR 2009, with their k = 60; a rank counts from 1, and an arm without the memory adds nothing.
(2) and (3) are the recency and importance of Park et al., "Generative Agents", UIST 2023, section 4.1: exponential
    decay, and a rating from 0 to 10, here `metadata["importance"]`. Divided by k + 1, a weight of 1 is worth as much as
    first place in an arm of weight 1. Their relevance is what the arms measure.
"""

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

HIGHEST_IMPORTANCE = 10.0
HALF_LIFE = datetime.timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A memory that an arm found.

    importance: its rating, from 0 to 10.
    value: the cosine similarity, or the text rank, that it was found by.
    """

    id: UUID
    created_at: datetime.datetime
    importance: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The parts of the score besides the arms' weights; see the module for their formulas.

    k: how little the first ranks stand out.
    recency, importance: weights; 0 leaves the term out.
    half_life: the age at which a memory's recency is one half.
    """

    k: float = 60.0
    recency: float = 0.0
    half_life: datetime.timedelta = HALF_LIFE
    importance: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what makes no order.

        Raises:
            ValueError: k is negative, the half-life is not positive, or a number is not finite.
        """
        if not all(map(math.isfinite, (self.k, self.recency, self.importance))) or self.k < 0:
            raise ValueError("k, recency and importance are finite numbers, and k is at least 0.")
        if self.half_life <= datetime.timedelta(0):
            raise ValueError("A half-life is longer than nothing.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """A memory's place in the common order.

    ranks: {arm: rank, from 1}, for the arms that found it.
    values: {arm: similarity or text rank}.
    """

    id: UUID
    score: float
    ranks: Mapping[str, int]
    values: Mapping[str, float]


def fuse(
    arms: Mapping[str, Sequence[Hit]], weights: Mapping[str, float], terms: Terms, now: datetime.datetime
) -> list[Fused]:
    """Return all that the arms found, the highest score first; equal scores in the order of their ids."""
    hits: dict[UUID, Hit] = {}
    ranks: dict[UUID, dict[str, int]] = {}
    values: dict[UUID, dict[str, float]] = {}
    for arm, found in arms.items():
        for rank, hit in enumerate(found, start=1):
            hits[hit.id] = hit
            ranks.setdefault(hit.id, {})[arm] = rank
            values.setdefault(hit.id, {})[arm] = hit.value
    fused = [
        Fused(id=key, score=_score(hit, ranks[key], weights, terms, now), ranks=ranks[key], values=values[key])
        for key, hit in hits.items()
    ]
    return sorted(fused, key=lambda one: (-one.score, one.id))


def _score(
    hit: Hit, ranks: Mapping[str, int], weights: Mapping[str, float], terms: Terms, now: datetime.datetime
) -> float:
    relevance = sum(weights[arm] / (terms.k + rank) for arm, rank in ranks.items())
    youth = math.exp2(-max((now - hit.created_at) / terms.half_life, 0.0))
    rating = hit.importance / HIGHEST_IMPORTANCE
    return relevance + (terms.recency * youth + terms.importance * rating) / (terms.k + 1)
