"""An agent's own keys and values in the table `cache`: what Django's caches do, but each operation one statement.

Every statement looks for the agent too, so an agent that is gone is told at once, by name, and not by a foreign key
when the transaction ends. Times are the database's: programs on several machines agree on what has expired.
"""

import datetime
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connections

from core_tables.contents import DEEPEST
from core_tables.exceptions import InvalidKey, InvalidValue, NotANumber, UnknownAgent
from core_tables.pickled import UNFIT, WRAPPER, is_deep
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.querysets.cache import CacheQuerySet

# A row without a key says that there is an agent, whatever was done.
STATEMENT = "WITH {} SELECT key, value FROM done UNION ALL SELECT NULL, NULL FROM agents WHERE id = %(agent)s"
LIVE = "(c.expires_at IS NULL OR c.expires_at > statement_timestamp())"
# All that lock several rows do it in this order, so that they wait for each other and never in a circle.
ORDER = 'octet_length({0}.key), {0}.key COLLATE "C"'

READ = f"""done AS (
SELECT c.key, c.value FROM cache c WHERE c.agent_id = %(agent)s AND c.key = ANY(%(keys)s::text[]) AND {LIVE}
)"""
# Whether there is a value, and the value itself where it is a pickle: one that nobody here signed counts as none.
PICKLE = f"CASE WHEN c.value ? '{WRAPPER}' THEN c.value END AS value"
FIND = READ.replace("c.value", PICKLE, 1)

# Every database that has the table has this primary key, those that other tools made too. `value` tells what is new.
PUT = f"""done AS (
INSERT INTO cache AS c (key, agent_id, value, expires_at, created_at, updated_at, metadata)
SELECT given.key, agent.id, given.value, statement_timestamp() + %(timeout)s::interval,
       statement_timestamp(), statement_timestamp(), %(metadata)s::jsonb
  FROM agents agent, jsonb_each(%(data)s::jsonb) AS given
 WHERE agent.id = %(agent)s
 ORDER BY {ORDER.format("given")}
    ON CONFLICT (key, agent_id) DO UPDATE
   SET value = excluded.value, expires_at = excluded.expires_at, updated_at = excluded.updated_at,
       metadata = c.metadata || excluded.metadata {{}}
RETURNING c.key, to_jsonb(c.created_at = c.updated_at) AS value
)"""
SET = PUT.format("")
ADD = PUT.format(f"WHERE NOT {LIVE}")
# A list has what is there instead, if that is a pickle.
ADD_OR_TELL = (
    ADD.replace("done", "added", 1)
    + f""", done AS (
SELECT key, value FROM added
 UNION ALL
SELECT c.key, jsonb_build_array(c.value) FROM cache c, jsonb_object_keys(%(data)s::jsonb) AS given
 WHERE c.agent_id = %(agent)s AND c.key = given AND {LIVE} AND c.value ? '{WRAPPER}' AND NOT EXISTS (SELECT FROM added)
)"""
)

ADD_TO_NUMBER = f"""done AS (
UPDATE cache c SET value = to_jsonb(c.value::numeric + %(delta)s::numeric), updated_at = statement_timestamp()
 WHERE c.agent_id = %(agent)s AND c.key = %(key)s AND {LIVE} AND jsonb_typeof(c.value) = 'number'
RETURNING c.key, c.value
)"""
TOUCH = f"""done AS (
UPDATE cache c SET expires_at = statement_timestamp() + %(timeout)s::interval, updated_at = statement_timestamp()
 WHERE c.agent_id = %(agent)s AND c.key = %(key)s AND {LIVE}
RETURNING c.key, {PICKLE}
)"""
DELETE = f"""doomed AS (
SELECT c.key FROM cache c WHERE c.agent_id = %(agent)s AND {{}} ORDER BY {ORDER.format("c")} FOR UPDATE
), gone AS (
DELETE FROM cache c USING doomed WHERE c.agent_id = %(agent)s AND c.key = doomed.key RETURNING {LIVE} AS live
), done AS (
SELECT 'live' AS key, to_jsonb(count(*) FILTER (WHERE live)) AS value FROM gone
)"""
DELETE_KEYS = DELETE.format("c.key = ANY(%(keys)s::text[])")
DELETE_ALL = DELETE.format("c.metadata @> %(metadata)s::jsonb")

NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
# Seconds: a century. Longer is as good as for good, and Python can't read a date after the year 9999.
LONGEST = 100 * 365 * 24 * 3600.0
# Of a key, in UTF-8: with the agent's id it has to fit a third of an index's page.
KEY_BYTES = 2500

Timeout = float | datetime.timedelta | None


def _interval(timeout: Timeout) -> datetime.timedelta | None:
    if timeout is None:
        return None
    seconds = timeout.total_seconds() if isinstance(timeout, datetime.timedelta) else _float(timeout, "A timeout")
    if math.isnan(seconds):
        raise ValueError("A timeout that is not a number says nothing: give seconds, or None for good.")
    return None if seconds > LONGEST else datetime.timedelta(seconds=max(seconds, -LONGEST))


def _float(number: float, what: str) -> float:
    if not hasattr(number, "__float__"):
        raise TypeError(f"{what} is a number, not {number!r}.")
    try:
        return float(number)
    except OverflowError:  # an integer longer than any float
        return math.copysign(math.inf, number > 0 or -1)


def _checked(keys: Iterable[str], most: float = math.inf) -> list[str]:
    """Return keys that PostgreSQL takes, of up to so many bytes."""
    found = list(keys)
    for key in found:
        if not isinstance(key, str):
            raise TypeError(f"A key is a text, not {type(key).__name__}: take str({key!r}).")
        if UNFIT.search(key):
            raise InvalidKey(f"The key {key!r:.100} holds a NUL or half a surrogate pair: take it out.")
        if len(key.encode()) > most:
            raise InvalidKey(
                f"The key {key!r:.60} has {len(key.encode()):,} bytes, and {most:,} is the most that its index takes: "
                "keep the value under a hash of it."
            )
    return found


def _as_json(data: Mapping[str, Any]) -> str:
    """Return the JSON of a mapping; PostgreSQL's own refusal would name no key, and break the transaction."""
    try:
        text = json.dumps(data, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as problem:
        raise _invalid(data, str(problem)) from problem
    if text.count("{") + text.count("[") > DEEPEST and any(map(is_deep, data.values())):
        raise _invalid(data, f"it is nested more than {DEEPEST} deep")
    if "\\u0000" in text and NUL.search(text):
        raise _invalid(data, "PostgreSQL keeps no NUL character")
    return text


def _invalid(data: Mapping[str, Any], reason: str) -> InvalidValue:
    names = ", ".join(map(repr, list(data)[:3]))
    return InvalidValue(
        f"What is to be kept under {names} is not JSON ({reason}). Turn it into texts, finite numbers, lists and "
        "objects first, or use the cache backend core_tables.cache.AgentCache, which pickles it."
    )


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
        wanted = _checked(keys)
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
        _checked(data, KEY_BYTES)
        return self._run(sql, data=_as_json(data), timeout=_interval(timeout), metadata=json.dumps(dict(self.metadata)))

    def _find(self, key: str) -> dict[str, Any]:
        return self._run(FIND, write=False, keys=_checked([key]))

    def _touch(self, key: str, timeout: Timeout) -> dict[str, Any]:
        return self._run(TOUCH, key=_checked([key])[0], timeout=_interval(timeout))

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
        _checked([key])
        if not math.isfinite(_float(delta, "What is to be added")):
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
        doomed = _checked(keys)
        return int(self._run(DELETE_KEYS, keys=doomed)["live"]) if doomed else 0

    adelete_many = twin(delete_many)

    def clear(self) -> int:
        """Delete all that the agent keeps, or what has this store's `metadata`; return how many values there were."""
        return int(self._run(DELETE_ALL, metadata=json.dumps(dict(self.metadata)))["live"])

    aclear = twin(clear)
