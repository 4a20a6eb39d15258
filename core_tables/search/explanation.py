"""What a search did and why, for people: the plan of each arm, its ranks, and how many rows it looked at."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from pgvector import Vector

from core_tables.search.estimate import measured
from core_tables.search.fusion import Fused
from core_tables.search.hybrid import Arm
from core_tables.search.matching import statement as text_statement
from core_tables.search.nearest import Trace, exact
from core_tables.search.route import Plan, walk
from core_tables.search.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A search, looked into.

    arms: what each found, best first.
    order: the common order, as far as was asked.
    considered: {arm: rows that it really looked at}.
    recall: the share of the truly nearest that the vector arm found; None where that was not asked.
    """

    arms: tuple[Arm, ...]
    order: tuple[Fused, ...]
    considered: Mapping[str, int]
    recall: float | None = None

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for arm in self.arms:
            yield (
                f"{arm.name}: {arm.plan} ({arm.why}), about {arm.estimated:,} rows in scope, "
                f"{self.considered[arm.name]:,} considered, {len(arm.hits)} found, {arm.seconds * 1000:.1f} ms"
            )
        if self.recall is not None:
            yield f"recall against exact: {self.recall:.2f}"
        for place, one in enumerate(self.order, start=1):
            ranks = ", ".join(f"{arm} {rank} ({one.values[arm]:.3f})" for arm, rank in one.ranks.items())
            yield f"{place:>3}. {one.score:.5f}  {one.id}  {ranks}"


def explained(
    scope: Scope, arms: tuple[Arm, ...], order: Sequence[Fused], limit: int, *, against_exact: bool
) -> Explanation:
    """Return the explanation of what the arms found and of the order that came of it."""
    return Explanation(
        arms=arms,
        order=tuple(order[:limit]),
        considered={arm.name: considered(arm, scope) for arm in arms},
        recall=next((_recall(arm, limit, scope) for arm in arms if arm.trace), None) if against_exact else None,
    )


def considered(arm: Arm, scope: Scope) -> int:
    """Run an arm's statement again, measured, and return how many rows it looked at."""
    if arm.trace:
        return _by_trace(arm.trace, scope)
    if not arm.words:
        return 0
    sql, params = text_statement(scope, arm.words, max(len(arm.hits), 1), "m.id", arm.estimated)
    return _rows(measured(sql, params, scope.using), "Sort")


def _by_trace(trace: Trace, scope: Scope) -> int:
    indexed = trace.plan is Plan.INDEX
    with walk(scope.using, trace.estimated, trace.wanted) if indexed else nullcontext():
        plan = measured(trace.sql, trace.params, scope.using)
    return _rows(plan, "Index Scan" if indexed else "Sort")


def _recall(arm: Arm, limit: int, scope: Scope) -> float:
    vector = Vector.from_text(arm.trace.params[0]) if arm.trace else Vector([])
    best, _ = exact(scope, vector, limit, "m.id", estimated=0, why="the truth")
    truth = {row[0] for row in best}
    return len(truth & {hit.id for hit in arm.hits[:limit]}) / len(truth) if truth else 1.0


def _rows(plan: Mapping[str, Any], kind: str) -> int:
    """Return the rows of the first node of a kind: those that a scan gave, or that a sort took in."""
    node = next((node for node in _nodes(plan) if node["Node Type"] == kind), None)
    if node is None:
        return 0
    counted = node["Plans"][0] if kind == "Sort" else node
    return int(counted["Actual Rows"] * counted["Actual Loops"])


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
