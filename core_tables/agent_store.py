"""An agent's own keys and values in the table `cache`: what Django's caches do, but each operation one statement.

Every statement looks for the agent too, so an agent that is gone is told at once, by name, and not by a foreign key
when the transaction ends. Times are the database's: programs on several machines agree on what has expired.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connections

from core_tables.exceptions import NotANumber, UnknownAgent
from core_tables.store_input import KEY_BYTES, Timeout, as_float, as_json, checked_keys, interval
from core_tables.store_sql import (
    ADD,
    ADD_OR_TELL,
    ADD_TO_NUMBER,
    DELETE_ALL,
    DELETE_KEYS,
    FIND,
    READ,
    SET,
    STATEMENT,
    TOUCH,
)
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.querysets.cache import CacheQuerySet


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStore:
    """What one agent keeps: JSON under keys that are texts. The methods have names and meanings of Django's caches.

    A timeout is in seconds, or a timedelta; None keeps a value for good, and 0 or less makes it expire at once.
    Every method makes one statement, but `get_or_set()` up to three, and all raise UnknownAgent for want of the agent,
    TypeError for a key that is no text, and InvalidKey for one that PostgreSQL does not take.

    entries: the queryset this came from; it says which database.
    metadata: added to that of each row written. What a row has besides is kept. `clear()` deletes what has all of it.
    """

    agent_id: UUID
    entries: "CacheQuerySet" = field(repr=False, compare=False)
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def _run(self, sql: str, *, write: bool = True, **params: Any) -> dict[str, Any]:
        entries = self.entries
        if write:  # to which routers may give another place
            entries = entries.all()
            entries._for_write = True
        with connections[entries.db].cursor() as cursor:
            cursor.execute(STATEMENT.format(sql), {"agent": self.agent_id, **params})
            done = dict(cursor.fetchall())
        if None not in done:
            raise UnknownAgent(f"There is no agent with the id {self.agent_id}: create it before it keeps anything.")
        return {key: value and json.loads(value) for key, value in done.items() if key is not None}

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value under a key, or `default`."""
        return self.get_many([key]).get(key, default)

    aget = twin(get)

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values there are, by key."""
        wanted = checked_keys(keys)
        return self._run(READ, write=False, keys=wanted) if wanted else {}

    aget_many = twin(get_many)

    def has_key(self, key: str) -> bool:
        """Whether there is a value under a key."""
        return key in self._find(key)

    ahas_key = twin(has_key)

    __contains__ = has_key

    def set(self, key: str, value: Any, timeout: Timeout = None) -> bool:
        """Keep a value under a key; return whether the key is new.

        Raises:
            InvalidValue: the value is not JSON.
        """
        return bool(self.set_many({key: value}, timeout))

    aset = twin(set)  # noqa: A003 - this very method

    def set_many(self, data: Mapping[str, Any], timeout: Timeout = None) -> int:
        """Keep all these values, or none; return how many keys are new.

        Raises:
            InvalidValue: a value is not JSON.
        """
        return sum(self._put(SET, data, timeout).values())

    aset_many = twin(set_many)

    def add(self, key: str, value: Any, timeout: Timeout = None) -> bool:
        """Keep a value unless there is one; return whether this one is kept. Of several callers at once, one wins.

        Raises:
            InvalidValue: the value is not JSON.
        """
        return key in self._put(ADD, {key: value}, timeout)

    aadd = twin(add)

    def _put(self, sql: str, data: Mapping[str, Any], timeout: Timeout) -> dict[str, Any]:
        if not data:
            return {}
        checked_keys(data, KEY_BYTES)
        return self._run(sql, data=as_json(data), timeout=interval(timeout), metadata=json.dumps(dict(self.metadata)))

    def _find(self, key: str) -> dict[str, Any]:
        return self._run(FIND, write=False, keys=checked_keys([key]))

    def _touch(self, key: str, timeout: Timeout) -> dict[str, Any]:
        return self._run(TOUCH, key=checked_keys([key])[0], timeout=interval(timeout))

    def _add_or_tell(self, key: str, value: Any, timeout: Timeout) -> tuple[bool, Any]:
        """Return whether the value is kept, and otherwise what is there, if that is a pickle."""
        told = self._put(ADD_OR_TELL, {key: value}, timeout).get(key)
        return (False, told[0]) if isinstance(told, list) else (told is not None, None)

    def get_or_set(self, key: str, default: Any | Callable[[], Any], timeout: Timeout = None) -> Any:
        """Return the value under a key; where there is none keep `default`, or what it returns when called.

        Callers at the same time may each call theirs, but all return the value of one of them.

        Raises:
            InvalidValue: the value is not JSON.
        """
        found = self.get_many([key])
        if key in found:
            return found[key]
        value = default() if callable(default) else default
        if self.add(key, value, timeout):
            return value
        # From where it was written: a replica may not have it yet.
        return self._run(READ, keys=[key]).get(key, value)

    aget_or_set = twin(get_or_set)

    def touch(self, key: str, timeout: Timeout = None) -> bool:
        """Count a value's timeout from now; return whether there is one."""
        return key in self._touch(key, timeout)

    atouch = twin(touch)

    def incr(self, key: str, delta: float = 1) -> int | float:
        """Add to a number, and return the sum; when it expires stays as it was.

        Raises:
            ValueError: there is nothing under the key, or `delta` is not finite.
            TypeError: `delta` is no number.
            NotANumber: what is there is no number.
        """
        checked_keys([key])
        if not math.isfinite(as_float(delta, "What is to be added")):
            raise ValueError(f"{delta} can't be added to what is under {key!r}: give a finite number.")
        done = self._run(ADD_TO_NUMBER, key=key, delta=f"{delta + 0}")
        if key not in done:
            found = self._run(READ, keys=[key])
            if key in found:
                raise NotANumber(f"Under {key!r} is no number but a {type(found[key]).__name__}: set() a number first.")
            raise ValueError(f"There is nothing under {key!r} to add to: add() a number first.")
        total: int | float = done[key]
        return total

    aincr = twin(incr)

    def decr(self, key: str, delta: float = 1) -> int | float:
        """Subtract from a number, as `incr()` adds."""
        return self.incr(key, -delta)

    adecr = twin(decr)

    def delete(self, key: str) -> bool:
        """Delete what is under a key; return whether there was a value."""
        return self.delete_many([key]) > 0

    adelete = twin(delete)

    def delete_many(self, keys: Iterable[str]) -> int:
        """Delete what is under these keys; return how many values there were."""
        doomed = checked_keys(keys)
        return int(self._run(DELETE_KEYS, keys=doomed)["live"]) if doomed else 0

    adelete_many = twin(delete_many)

    def clear(self) -> int:
        """Delete all that the agent keeps, or what has this store's `metadata`; return how many values there were."""
        return int(self._run(DELETE_ALL, metadata=json.dumps(dict(self.metadata)))["live"])

    aclear = twin(clear)
