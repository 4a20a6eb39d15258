"""How tables grow: the rate of inserts and the latency of searches, measured at each size on the way.

The last 5,000 memories of each size go in through `bulk_add()`, with all indexes in place: that is the rate. What comes
before them would take hours, so it is copied, with the vector index dropped and built again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from psycopg import sql

from benchmarks import postgres
from benchmarks.memory import corpus, picture, plain, race, stores

WINDOW = 5_000  # memories through bulk_add at the end of each size
INDEX = "embeddings_dim_384_hnsw"
BUILD_MEMORY = "4GB"


def run(server: postgres.Server, sizes: Sequence[int], queries: int, path: Path) -> None:
    """Print a table and draw the picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    memories = corpus.generate(max(sizes))
    points = []
    with stores.tables(server) as name:
        before = 0
        for size in sizes:
            _fill(server, name, memories.part(before, size - WINDOW))
            rate = race.fill([stores.ours()], memories.part(size - WINDOW, size))["ours"]
            stores.analyzed(server, name)
            points.append(picture.Point(size, rate, _searches(memories.part(0, size), queries)))
            print(_table(points[-1:]) + "\n", flush=True)
            path.write_text(picture.draw(points))
            before = size


def _fill(server: postgres.Server, name: str, part: corpus.Corpus) -> None:
    """Put memories in by COPY, without the vector index, and build that anew."""
    with server.session(name) as session:
        definition = session.execute("SELECT pg_get_indexdef(%s::regclass)", [INDEX]).fetchone()[0]
        session.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(INDEX)))
        session.execute(sql.SQL("SET maintenance_work_mem = {}").format(BUILD_MEMORY))
        plain.register_vector(session)
        for rows in part.parts(race.BATCH * 10):
            plain.copy(session, rows)
        print(f"{part.start + len(part):,} copied", file=sys.stderr, flush=True)
        session.execute(definition)
        print("index built", file=sys.stderr, flush=True)


def _searches(memories: corpus.Corpus, queries: int) -> dict[str, race.Found]:
    return {
        scope.name: race.ask([stores.ours()], corpus.queries(memories, scope, queries), scope)["ours"]
        for scope in corpus.SCOPES
    }


def _table(points: Sequence[picture.Point]) -> str:
    head = ["memories", "scope", "p50 ms", "p95", "recall@10", "rows"]
    rows = [
        [
            f"{point.size:,}",
            name,
            race.milliseconds(found.p50),
            race.milliseconds(found.p95),
            f"{found.recall:.3f}",
            f"{found.rows:.1f}",
        ]
        for point in points
        for name, found in point.searches.items()
    ]
    rates = [[f"{point.size:,}", f"{point.rate:,.0f}"] for point in points]
    return race.table(["memories", "bulk_add rows/s"], rates) + "\n\n" + race.table(head, rows)
