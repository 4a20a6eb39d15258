"""Memories: writing them, one or many."""

import datetime
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connections, models, transaction
from django.db.models.constants import OnConflict
from django.db.models.signals import post_save, pre_save
from pgvector import Vector

from core_tables.contents import as_content, check_text, checked_json
from core_tables.embeddings.bulk import add_all
from core_tables.embeddings.widths import checked, column_for
from core_tables.exceptions import WrongAgent
from core_tables.querysets.base import key_of, with_keys
from core_tables.querysets.memory_updates import MemoryUpdates, embeddings
from core_tables.references import clear_references
from core_tables.search.nearest import nearest
from core_tables.search.scope import Scope
from core_tables.text_limit import clear_errors, is_long
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Agent, Entity, Memory, Room, World

DUPLICATE_AT = 0.95  # cosine similarity
ANOTHERS = "is that of a memory of another agent: leave it out, or give a new one."
_key = models.UUIDField().to_python


class MemoryWrites(MemoryUpdates):
    """Writing memories."""

    def add(
        self,
        content: Mapping[str, Any] | str,
        *,
        agent: "Agent | UUID",
        type: str,  # noqa: A002 - the column's name
        room: "Room | UUID | None" = None,
        entity: "Entity | UUID | None" = None,
        world: "World | UUID | None" = None,
        metadata: Mapping[str, Any] | None = None,
        id: UUID | None = None,  # noqa: A002 - the column's name
        vector: Any = None,
        model: str | None = None,
        unique: bool | None = None,
        duplicate_at: float = DUPLICATE_AT,
        expires_at: datetime.datetime | None = None,
        created_at: datetime.datetime | None = None,
    ) -> "Memory":
        """Write a memory, and its vector if it comes with one, in one transaction.

        Call it on `Memory.objects`: Django has an `add()` of its own on `agent.memories` and `room.memories`.

        Args:
            content: a JSON object with the words under the key `text`, or just the words.
            agent: who remembers; an instance or an id, as are `room`, `entity` and `world`.
            type: the kind of memory, such as messages or facts.
            room: where it was learned.
            entity: who it comes from.
            world: where the room is.
            metadata: a JSON object. Under `type`, a document needs `timestamp`, a fragment `documentId` and `position`.
            id: made up if there is none. With the id of a memory that is there, nothing is written.
            vector: its embedding; the column is chosen by its width.
            model: the embedding model that made the vector.
            unique: whether nothing much like it is there. Without an answer, a memory that comes with a vector is
                compared with the live ones of the same agent and type and, as far as given, room, entity and world.
            duplicate_at: from which cosine similarity on two memories are much alike.
            expires_at: when to forget it.
            created_at: when it was learned, for what is imported; now if not given.

        Returns:
            The new memory, or the one that has this id already, as it is.

        Raises:
            InvalidContent: PostgreSQL or an index would refuse content, metadata, type or model.
            UnknownWidth: no column is as wide as the vector.
            InvalidVector: the vector has no cosine.
            WrongAgent: the id is that of another agent's memory.
            UnknownAgent, UnknownRow: the agent, room or entity is not there. In a transaction of your own, a deferred
                constraint says so only when that commits, as an IntegrityError.
        """
        values = {"content": as_content(content), "metadata": {} if metadata is None else metadata, "type": type}
        values |= {"id": id, "unique": unique is not False, "created_at": created_at}
        memory: Memory = self.model(
            **{name: value for name, value in values.items() if value is not None},
            **_reference("agent", agent),
            **_reference("room", room),
            **_reference("entity", entity),
            world_id=key_of(world),
            expires_at=expires_at,
        )
        checked_json(memory)
        if model is not None:
            check_text(model, "The name of the model")
        embedding = None if vector is None else checked(vector)
        self._for_write = True
        with clear_references(self.model):
            if embedding is None:
                written = self._insert_new(memory)
            else:
                written = self._add_embedded(memory, embedding, model, None if unique is not None else duplicate_at)
        return memory if written else self._there(memory)

    aadd = twin(add)

    def bulk_add(
        self, memories: Iterable["Memory"], vectors: Iterable[Any] | None = None, *, model: str | None = None
    ) -> int:
        """Write many memories and their vectors in one transaction, through COPY; return how many were new.

        A memory whose id is there already, or came before in the same call, is passed over with its vector. As with
        `bulk_create()` no signals are sent, and `unique` stays what it is.

        Args:
            memories: unsaved ones.
            vectors: one for each memory, None for a memory that has none; also as an array of two dimensions.
            model: the embedding model that made the vectors.

        Raises:
            ValueError: there are not as many vectors as memories.
            InvalidContent, UnknownWidth, InvalidVector, WrongAgent: as `add()`; the message has the place in the list
                and the id.
            UnknownAgent, UnknownRow: as `add()`.
        """
        if model is not None:
            check_text(model, "The name of the model")
        self._for_write = True
        every = list(memories)
        with clear_references(self.model), transaction.atomic(using=self.db) if every else nullcontext():
            new = add_all(every, vectors, model, self.db)
            if new < len(every):
                self._refuse_others(every)
        return new

    abulk_add = twin(bulk_add)

    def _insert_new(self, memory: "Memory") -> bool:
        """Insert a memory unless its id is there, with the signals of `save()`; say whether it was new."""
        sender, fields = self.model, self.model._meta.concrete_fields
        pre_save.send(sender=sender, instance=memory, raw=False, using=self.db, update_fields=None)
        with clear_errors(), self._savepoint(memory):
            rows = self._insert(  # type: ignore[attr-defined]
                [memory], fields, [self.model._meta.pk], using=self.db, on_conflict=OnConflict.IGNORE
            )
        if not any(rows):
            return False
        memory._state.adding, memory._state.db = False, self.db
        post_save.send(sender=sender, instance=memory, created=True, raw=False, using=self.db, update_fields=None)
        return True

    def _add_embedded(self, memory: "Memory", vector: Vector, model: str | None, duplicate_at: float | None) -> bool:
        connection = connections[self.db]
        alone = not connection.in_atomic_block
        with transaction.atomic(using=self.db):
            if duplicate_at is not None:
                if alone:
                    # Two that are much alike, written at once, would not see each other. Not in a transaction of the
                    # caller's: it would keep the lock to its end, and two of them could wait for each other.
                    with connection.cursor() as cursor:
                        scope = f"memories {memory.agent_id} {memory.type} {memory.room_id}"
                        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [scope])
                memory.unique = not self._has_near(memory, vector, duplicate_at)
            if not self._insert_new(memory):
                return False
            values = {column_for(vector.dimensions()).name: vector}
            embeddings(self.db).create(memory=memory, agent_id=memory.agent_id, model=model, **values)
        return True

    def _there(self, memory: "Memory") -> "Memory":
        """Return the memory that has the id of this one."""
        found: Memory = self._all().get(pk=memory.pk)
        if found.agent_id != _key(memory.agent_id):
            raise WrongAgent(f"The id {memory.pk} {ANOTHERS}")
        return found

    def _refuse_others(self, memories: Iterable["Memory"]) -> None:
        """Refuse a list with the id of another agent's memory, as what is meant by it is not there."""
        every = [(place, _key(memory.pk), _key(memory.agent_id)) for place, memory in enumerate(memories)]
        rows = with_keys(self._all(), {key for _, key, _ in every})
        agents = dict(rows.values_list("pk", "agent_id"))
        for place, key, agent in every:
            if agents.get(key, agent) != agent:
                raise WrongAgent(f"memories[{place}]: the id {key} {ANOTHERS}")

    def _savepoint(self, memory: "Memory") -> AbstractContextManager[Any]:
        """Return what keeps a refusal from spoiling the transaction of the caller, for the texts that may meet one."""
        return transaction.atomic(using=self.db) if is_long(memory) else nullcontext()

    def _has_near(self, memory: "Memory", vector: Vector, similarity: float) -> bool:
        """Tell whether something much like it is there: the nearest of the same scope, which search finds best."""
        within = {"agent": memory.agent_id, "type": memory.type, "room": memory.room_id}
        within |= {"entity": memory.entity_id, "world": memory.world_id}
        found, _ = nearest(Scope.of(self._all(), within), vector, 1, "m.id")
        return any(1 - distance >= similarity for _, distance in found)


def _reference(name: str, row: Any) -> dict[str, Any]:
    return {name: row} if isinstance(row, models.Model) else {f"{name}_id": row}
