"""Stores doing the same work by turns, in an order that chance gives: drift, and what is warm, hit all alike."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, quantiles
from typing import Any

from benchmarks.memory.corpus import Corpus, Query, Scope
from benchmarks.memory.stores import Store

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """How searches went: seconds, the share of the truly nearest that was found, and how many were returned."""

    seconds: list[float]
    recalls: list[float]
    counts: list[int]

    @property
    def p50(self) -> float:
        return median(self.seconds)

    @property
    def p95(self) -> float:
        return quantiles(self.seconds, n=20, method="inclusive")[-1]

    @property
    def recall(self) -> float:
        return fmean(self.recalls)

    @property
    def rows(self) -> float:
        return fmean(self.counts)


def fill(stores: Sequence[Store], corpus: Corpus, seed: int = 3) -> dict[str, float]:
    """Store all memories in each; return rows per second."""
    seconds = dict.fromkeys((store.name for store in stores), 0.0)
    for part in corpus.parts(BATCH):
        part.ids, part.texts, part.numbers  # noqa: B018 made before the clock starts
        for store in _shuffled(stores, seed := seed + 1):
            seconds[store.name] += _timed(store.add, part)[0]
    return {name: len(corpus) / spent for name, spent in seconds.items()}


def ask(
    stores: Sequence[Store], queries: Sequence[Query], scope: Scope, rounds: int = 1, seed: int = 4
) -> dict[str, Found]:
    """Search each by all queries, so many times, after once that does not count."""
    for store in stores:
        for query in queries:
            store.search(query, scope)
    # The corpus is ours to hold, not the stores': the collector need not look through it.
    gc.collect()
    gc.freeze()
    found = {store.name: Found([], [], []) for store in stores}
    for query in [*queries] * rounds:
        for store in _shuffled(stores, seed := seed + 1):
            seconds, ids = _timed(store.search, query, scope)
            into = found[store.name]
            into.seconds.append(seconds)
            into.recalls.append(len(query.nearest.intersection(ids)) / max(len(query.nearest), 1))
            into.counts.append(len(ids))
    return found


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return Markdown."""
    ruler = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ruler, *rows))


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


def ratio(ours: Found, other: Found) -> float:
    """Return how many times as long ours takes at the median."""
    return ours.p50 / other.p50


def _shuffled(stores: Sequence[Store], seed: int) -> list[Store]:
    return random.Random(seed).sample(stores, len(stores))


def _timed(call: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    answer = call(*arguments)
    return time.perf_counter() - start, answer


Races = Mapping[Scope, Mapping[str, Found]]
