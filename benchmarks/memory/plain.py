"""The baseline: psycopg alone, sending what ours sends, and COPY into the same tables with the same indexes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection
from pgvector import Vector
from pgvector.psycopg import register_vector
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from benchmarks.memory.corpus import AGENT, Corpus, Query, Scope, key
from benchmarks.memory.stores import Store, found
from core_tables.search.estimate import _remembered
from core_tables.search.nearest import text_of

MEMORIES = "COPY memories (id, type, content, agent_id, room_id, metadata) FROM STDIN (FORMAT BINARY)"
EMBEDDINGS = "COPY embeddings (memory_id, agent_id, dim_384) FROM STDIN (FORMAT BINARY)"
VECTOR = object()
PSYCOPG, PREPARED, SELECT = "psycopg", "prepared", "SELECT only"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, with VECTOR where the query's vector goes; in a transaction that is rolled back, or alone."""

    sql: str
    params: tuple[Any, ...]
    in_transaction: bool


class Recorded:
    """What ours sends for each query: recorded once, so that the baseline sends exactly that.

    Ours remembers for some seconds how many rows a scope has. `asking` records what it sends when it does not.
    """

    def __init__(self, *, asking: bool = True) -> None:
        self._asking = asking
        self._scripts: dict[tuple[str, str], list[Statement]] = {}

    def script(self, query: Query, scope: Scope) -> list[Statement]:
        """Return the statements of a query; the first time, ours is run for it."""
        name = (scope.name, query.text)
        if name not in self._scripts:
            self._scripts[name] = script = []
            if self._asking:
                _remembered.cache_clear()
            else:
                found(query, scope)

            def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
                marked = tuple(VECTOR if isinstance(one, str) and one.startswith("[") else one for one in params or ())
                script.append(Statement(sql, marked, connection.in_atomic_block))
                return execute(sql, params, many, context)

            with connection.execute_wrapper(note):
                found(query, scope)
        return self._scripts[name]


@contextmanager
def plain(conninfo: str, name: str = PSYCOPG, *, asking: bool = True, prepared: bool = False) -> Iterator[Store]:
    """Yield psycopg alone: as Django has it (parameters bound by the client), or by its own default (prepared)."""
    recorded = Recorded(asking=asking)
    cursors = psycopg.Cursor if prepared else psycopg.ClientCursor
    with psycopg.connect(conninfo, autocommit=True, row_factory=dict_row, cursor_factory=cursors) as session:
        session.prepare_threshold = 5 if prepared else None
        register_vector(session)

        def search(query: Query, scope: Scope) -> list[str]:
            # As ours writes it: pgvector's own way takes three times as long.
            text = text_of(Vector(query.numbers))
            rows: list[dict[str, Any]] = []
            script = recorded.script(query, scope)
            for atomic, statements in itertools.groupby(script, lambda one: one.in_transaction):
                with session.transaction(force_rollback=True) if atomic else nullcontext():
                    for one in statements:
                        params = [text if param is VECTOR else param for param in one.params]
                        rows = session.execute(one.sql, params).fetchall()
            return [str(row["id"]) for row in sorted(rows, key=lambda row: row["distance"])]

        yield Store(name=name, add=lambda part: copy(session, part), search=search)


def copy(session: psycopg.Connection[Any], part: Corpus) -> None:
    """Write memories and vectors by COPY in its binary form, in one transaction."""
    rows = zip(part.ids, part.texts, part.rooms, part.topics.tolist(), strict=True)
    with session.transaction(), session.cursor() as cursor:
        with cursor.copy(MEMORIES) as lines:
            lines.set_types(["uuid", "text", "jsonb", "uuid", "uuid", "jsonb"])
            for row, text, room, topic in rows:
                content, metadata = Jsonb({"text": text}), Jsonb({"topic": topic})
                lines.write_row((row, "messages", content, AGENT, key(room), metadata))
        with cursor.copy(EMBEDDINGS) as lines:
            lines.set_types(["uuid", "uuid", "vector"])
            for row, vector in zip(part.ids, part.vectors, strict=True):
                lines.write_row((row, AGENT, vector))
