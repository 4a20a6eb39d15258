"""Finding memories: the queryset methods. How they work is in `core_tables.search`."""

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack
from uuid import UUID

from django.utils import timezone

from core_tables.embeddings.widths import asked, widths
from core_tables.querysets.base import key_of
from core_tables.querysets.memory_writes import MemoryWrites
from core_tables.search import rows as loaded
from core_tables.search.explanation import Explanation, explained
from core_tables.search.fusion import HALF_LIFE, Fused, Terms, fuse
from core_tables.search.hybrid import TEXT, VECTOR, Arm, by_vector, by_words
from core_tables.search.matching import Match, matching
from core_tables.search.nearest import nearest
from core_tables.search.scope import Scope, Within
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Memory

LIMIT = 10
# An arm looks so many times as deep as what is asked for: what both have half way down can come out on top.
DEPTH, SHALLOWEST = 4, 50
MOST = 100_000


class MemorySearch(MemoryWrites):
    """Memories, found by meaning, by words or by both.

    A search looks at the rows of the queryset that it is called on, within the named filters (`Within`), and returns a
    list, best first. Memories past their expiry are left out unless `expired=True`.
    """

    def search(
        self, vector: Any, limit: int = LIMIT, *, min_similarity: float | None = None, **within: Unpack[Within]
    ) -> "list[Memory]":
        """Return the memories nearest to a vector, each with its cosine `similarity` (1 to -1).

        There are `limit` of them when so many match: the server looks through all rows of a small scope, and goes along
        the vector index for a large one (`core_tables.search.route`).

        Args:
            vector: as wide as one of the columns; only memories with a vector of that width can be found.
            min_similarity: leave out what is less alike.

        Raises:
            UnknownWidth, InvalidVector: the vector is none that can be searched by.
        """
        wanted, scope = asked(vector), self._within(limit, within)
        found, _ = nearest(scope, wanted, limit, "m.id" if self._special() else loaded.columns())
        alike = [row for row in found if min_similarity is None or 1 - row[-1] >= min_similarity]
        if self._special():
            memories = self._in_order([row[0] for row in alike])
        else:
            memories = list(loaded.memories(alike, scope.using))
        similarity = {row[0]: 1 - row[-1] for row in alike}
        return [_marked(memory, similarity=similarity[memory.pk]) for memory in memories]

    asearch = twin(search)

    def search_text(
        self, query: str, limit: int = LIMIT, *, match: str = Match.WEB, **within: Unpack[Within]
    ) -> "list[Memory]":
        """Return the memories that match words, each with its `rank` (`core_tables.search.matching`).

        Args:
            match: "web" wants every word, and knows quotes, `or` and `-`; "any" is content with any word, but with a
                common one, in over 5 % of all memories and of those searched, only where no other word is found.
        """
        scope = self._within(limit, within)
        ranks = {row[0]: row[-1] for row in matching(scope, query, Match(match), limit, "m.id").rows}
        return [_marked(memory, rank=ranks[memory.pk]) for memory in self._in_order(list(ranks))]

    asearch_text = twin(search_text)

    def search_hybrid(
        self,
        vector: Any,
        query: str,
        limit: int = LIMIT,
        *,
        weights: tuple[float, float] = (1.0, 1.0),
        k: float = 60.0,
        recency: float = 0.0,
        half_life: datetime.timedelta = HALF_LIFE,
        importance: float = 0.0,
        match: str = Match.ANY,
        **within: Unpack[Within],
    ) -> "list[Memory]":
        """Return the memories that come out on top by vector and words together (`core_tables.search.fusion`).

        Each has its `score`, its `ranks` by arm ("vector", "text"), and its `similarity` where the vector found it.

        Args:
            weights: of the vector and of the words.
            k: how little the first ranks stand out.
            recency, half_life: the weight of youth, and the age that halves it.
            importance: the weight of `metadata["importance"]`, a number from 0 to 10.
        """
        terms = Terms(k=k, recency=recency, half_life=half_life, importance=importance)
        scope = self._within(limit, within)
        order = _fused(_arms(scope, vector, query, limit, match), weights, terms)[:limit]
        by_id = {one.id: one for one in order}
        return [_placed(memory, by_id[memory.pk]) for memory in self._in_order(list(by_id))]

    asearch_hybrid = twin(search_hybrid)

    def similar_to(
        self,
        memory: "Memory | UUID",
        limit: int = LIMIT,
        *,
        width: int | None = None,
        min_similarity: float | None = None,
        **within: Unpack[Within],
    ) -> "list[Memory]":
        """Return the memories nearest to one that is there already, itself left out; none where it has no vector.

        Args:
            width: which of its vectors to go by; the widest when it has several.
        """
        vector = self._vector_of(key_of(memory), width)
        if vector is None:
            return []
        found = self.search(vector, limit + 1, min_similarity=min_similarity, **within)
        return [other for other in found if other.pk != key_of(memory)][:limit]

    asimilar_to = twin(similar_to)

    def explain_search(
        self,
        vector: Any = None,
        query: str | None = None,
        limit: int = LIMIT,
        *,
        weights: tuple[float, float] = (1.0, 1.0),
        terms: Terms | None = None,
        match: str = Match.ANY,
        against_exact: bool = False,
        **within: Unpack[Within],
    ) -> Explanation:
        """Search by a vector, by words or by both, and return what was done instead of the memories.

        Args:
            against_exact: look through all rows as well, and tell the share of the truly nearest that was found.
        """
        scope = self._within(limit, within)
        arms = _arms(scope, vector, query, limit, match)
        return explained(scope, arms, _fused(arms, weights, terms or Terms()), limit, against_exact=against_exact)

    aexplain_search = twin(explain_search)

    def _within(self, limit: int, within: Mapping[str, Any]) -> Scope:
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST:
            raise ValueError(f"A search returns from 1 to {MOST:,} memories, not {limit!r}.")
        return Scope.of(self, within)

    def _special(self) -> bool:
        """Tell whether the caller wants more, or less, of each memory than its columns."""
        query = self.query
        return bool(
            query.select_related or query.annotations or query.deferred_loading[0] or self._prefetch_related_lookups  # type: ignore[attr-defined]
        )

    def _in_order(self, ids: Sequence[UUID]) -> "list[Memory]":
        rows = self._loading()
        found = {memory.pk: memory for memory in rows.order_by().filter(pk__in=ids)} if ids else {}
        # One that was deleted meanwhile is gone.
        return [found[key] for key in ids if key in found]

    def _loading(self) -> Any:
        """Return a queryset that loads rows by their ids, as the caller wants each of them."""
        rows: Any = self.all()
        query = self.query
        if query.combinator or any(annotation.contains_over_clause for annotation in query.annotations.values()):
            # Which rows there are hangs on all of them: a filter by id would come first, or can't be had.
            rows = self.model._default_manager.using(self.db).all()
            rows.query.select_related, rows.query.deferred_loading = query.select_related, query.deferred_loading
            rows._prefetch_related_lookups = self._prefetch_related_lookups  # type: ignore[attr-defined]
        rows.query.clear_limits()
        return rows

    def _vector_of(self, key: UUID, width: int | None) -> Any:
        columns = [f"embedding__dim_{one}" for one in ([width] if width else reversed(widths()))]
        rows = list(self.model._default_manager.using(self.db).filter(pk=key).values_list(*columns))
        return next((vector for each in zip(*rows, strict=True) for vector in each if vector is not None), None)


def _arms(scope: Scope, vector: Any, query: str | None, limit: int, match: str) -> tuple[Arm, ...]:
    depth = max(DEPTH * limit, SHALLOWEST)
    arms = [by_vector(scope, asked(vector), depth)] if vector is not None else []
    return (*arms, by_words(scope, query, depth, Match(match))) if query is not None else tuple(arms)


def _fused(arms: tuple[Arm, ...], weights: tuple[float, float], terms: Terms) -> list[Fused]:
    return fuse(
        {arm.name: arm.hits for arm in arms}, dict(zip((VECTOR, TEXT), weights, strict=True)), terms, timezone.now()
    )


def _marked(memory: "Memory", **marks: Any) -> "Memory":
    for name, value in marks.items():
        setattr(memory, name, value)
    return memory


def _placed(memory: "Memory", place: Fused) -> "Memory":
    return _marked(memory, score=place.score, ranks=place.ranks, similarity=place.values.get(VECTOR))
