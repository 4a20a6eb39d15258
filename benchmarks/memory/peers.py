"""Other stores on PostgreSQL, each set up as its documentation says, with the HNSW index that it offers.

Each has the index from the beginning, as ours has, is given batches through its own batch call, and filters by what it
calls that: a namespace, a payload, metadata. Where it lets one choose how far the index is walked, it gets SEARCH.
An embedder of theirs returns the vector that a text stands for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any
from urllib.parse import urlencode

from benchmarks import postgres
from benchmarks.memory.corpus import LIMIT, WIDTH, Corpus, Query, Scope
from benchmarks.memory.stores import Store

SEARCH = 200
TABLE = "memories"
# The vectors that texts stand for, of what is being stored or asked just now.
_known: dict[str, list[float]] = {}


def learn(texts: Iterable[str], vectors: Iterable[list[float]]) -> None:
    _known.clear()
    _known.update(zip(texts, vectors, strict=True))


def embed(texts: list[str]) -> list[list[float]]:
    return [_known[text] for text in texts]


def url(server: postgres.Server, name: str, scheme: str) -> str:
    """Return where a database is, for SQLAlchemy."""
    place = {key: str(server.address[key]) for key in ("host", "port") if server.address.get(key)}
    return f"{scheme}://{server.address.get('user', '')}@/{name}?{urlencode(place)}"


@contextmanager
def langgraph(server: postgres.Server, name: str) -> Iterator[Store]:
    """PostgresStore: a namespace is a prefix; its only knob is how the index is built."""
    from langgraph.store.base import PutOp  # noqa: PLC0415
    from langgraph.store.postgres import PostgresStore  # noqa: PLC0415

    index = {"dims": WIDTH, "embed": embed, "fields": ["text"], "ann_index_config": {"kind": "hnsw"}}
    with PostgresStore.from_conn_string(server.conninfo(name), index=index) as store:
        store.setup()

        def add(part: Corpus) -> None:
            learn(part.texts, part.numbers)
            rows = zip(part.ids, part.texts, part.rooms, part.topics.tolist(), strict=True)
            store.batch(
                [PutOp(("ada", room), str(row), {"text": text, "topic": topic}) for row, text, room, topic in rows]
            )

        def search(query: Query, scope: Scope) -> list[str]:
            learn([query.text], [query.numbers])
            place = ("ada", scope.room) if scope.room else ("ada",)
            return [item.key for item in store.search(place, query=query.text, limit=LIMIT)]

        yield Store(name=f"LangGraph {version('langgraph-checkpoint-postgres')}", add=add, search=search)


@contextmanager
def mem0(server: postgres.Server, name: str) -> Iterator[Store]:
    """PGVector with hnsw=True, which is all that it lets one say."""
    from mem0.vector_stores.pgvector import PGVector  # noqa: PLC0415

    store = PGVector(
        name, TABLE, WIDTH, "", "", "", 0, diskann=False, hnsw=True, connection_string=server.conninfo(name)
    )

    def add(part: Corpus) -> None:
        rows = zip(part.texts, part.rooms, part.topics.tolist(), strict=True)
        payloads = [{"data": text, "agent_id": "ada", "room": room, "topic": topic} for text, room, topic in rows]
        store.insert(part.numbers, payloads, [str(row) for row in part.ids])

    def search(query: Query, scope: Scope) -> list[str]:
        filters = {"agent_id": "ada"} | ({"room": scope.room} if scope.room else {})
        return [str(item.id) for item in store.search(query.text, query.numbers, top_k=LIMIT, filters=filters)]

    try:
        yield Store(name=f"mem0 {version('mem0ai')}", add=add, search=search)
    finally:
        store.connection_pool.close()


@contextmanager
def agno(server: postgres.Server, name: str) -> Iterator[Store]:
    """PgVector with an HNSW index of its own sizes."""
    from agno.knowledge.document import Document  # noqa: PLC0415
    from agno.knowledge.embedder.base import Embedder  # noqa: PLC0415
    from agno.vectordb.pgvector import HNSW, PgVector  # noqa: PLC0415

    class Known(Embedder):
        def get_embedding(self, text: str) -> list[float]:
            return _known[text]

        def get_embedding_and_usage(self, text: str) -> tuple[list[float], None]:
            return _known[text], None

    logging.getLogger("agno").setLevel(logging.CRITICAL)
    index = HNSW(ef_search=SEARCH)
    store = PgVector(
        TABLE, db_url=url(server, name, "postgresql+psycopg"), embedder=Known(dimensions=WIDTH), vector_index=index
    )
    store.create()
    note = _indexed(store, server, name)

    def add(part: Corpus) -> None:
        learn(part.texts, part.numbers)
        rows = zip(part.ids, part.texts, part.rooms, part.topics.tolist(), strict=True)
        documents = [
            Document(text, id=str(row), name=str(row), meta_data={"agent": "ada", "room": room, "topic": topic})
            for row, text, room, topic in rows
        ]
        store.insert(str(part.start), documents, batch_size=len(documents))

    def search(query: Query, scope: Scope) -> list[str]:
        learn([query.text], [query.numbers])
        filters = {"agent": "ada"} | ({"room": scope.room} if scope.room else {})
        return [str(found.name) for found in store.search(query.text, limit=LIMIT, filters=filters)]

    try:
        yield Store(name=f"agno {version('agno')}", add=add, search=search, note=note)
    finally:
        store.db_engine.dispose()


def _indexed(store: Any, server: postgres.Server, name: str) -> str:
    """Let agno make its index; where it can't, make what it meant to, and say why."""
    try:
        store.optimize()
    except Exception as error:  # noqa: BLE001 whatever it raises is what its user gets
        index = store.vector_index
        with server.session(name) as session:
            session.execute(
                f"CREATE INDEX ON ai.{TABLE} USING hnsw (embedding vector_cosine_ops) "
                f"WITH (m = {index.m}, ef_construction = {index.ef_construction})"
            )
        return f"its optimize() fails ({str(error).splitlines()[0]}): the index was made by hand"
    return ""


@contextmanager
def langchain(server: postgres.Server, name: str) -> Iterator[Store]:
    """PGVectorStore, with the filter as a column of its own."""
    from langchain_core.embeddings import DeterministicFakeEmbedding  # noqa: PLC0415
    from langchain_postgres import Column, PGEngine, PGVectorStore  # noqa: PLC0415
    from langchain_postgres.v2.indexes import HNSWIndex, HNSWQueryOptions  # noqa: PLC0415

    engine = PGEngine.from_connection_string(url(server, name, "postgresql+asyncpg"))
    columns = ["agent", "room"]
    engine.init_vectorstore_table(TABLE, WIDTH, metadata_columns=[Column(column, "text") for column in columns])
    store = PGVectorStore.create_sync(
        engine,
        DeterministicFakeEmbedding(size=WIDTH),  # never asked: it is given vectors
        TABLE,
        metadata_columns=columns,
        index_query_options=HNSWQueryOptions(ef_search=SEARCH),
    )
    store.apply_vector_index(HNSWIndex())

    def add(part: Corpus) -> None:
        rows = zip(part.rooms, part.topics.tolist(), strict=True)
        metadata = [{"agent": "ada", "room": room, "topic": topic} for room, topic in rows]
        store.add_embeddings(part.texts, part.numbers, metadata, [str(row) for row in part.ids])

    def search(query: Query, scope: Scope) -> list[str]:
        filters = {"agent": "ada"} | ({"room": scope.room} if scope.room else {})
        found = store.similarity_search_by_vector(query.numbers, k=LIMIT, filter=filters)
        return [str(document.id) for document in found]

    try:
        yield Store(name=f"langchain {version('langchain-postgres')}", add=add, search=search)
    finally:
        engine._run_as_sync(engine.close())


PEERS: Mapping[str, Callable[[postgres.Server, str], Any]] = {
    "LangGraph": langgraph,
    "mem0": mem0,
    "agno": agno,
    "langchain": langchain,
}
