"""A backend for Django's cache framework that keeps what it is given among the entries of one agent.

    CACHES = {
        "default": {
            "BACKEND": "core_tables.cache.AgentCache",
            "LOCATION": "Ada",  # the name of an agent, or its id
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    }

An entry's key is the one that Django makes, such as `:1:weather`. What JSON can hold exactly is stored as plain JSON,
so that other programs can read it; all else is pickled and signed with SECRET_KEY (see core_tables.pickled).
A dict that is stored as JSON loses the order of its keys; an OrderedDict keeps it, because it is pickled.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from random import random
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from uuid import UUID

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db.models import Q

from core_tables.agent_store import AgentStore
from core_tables.exceptions import NotANumber, UnknownAgent
from core_tables.pickled import UNFIT, Unreadable, dump, load
from core_tables.store_input import KEY_BYTES
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.querysets.cache import CacheQuerySet

R = TypeVar("R")

# Tells the entries of this backend from what the agent keeps besides: only these are counted, culled and cleared.
MARK = {"django_cache": True}
SHOWN = 200  # characters of a key that has to be shortened
LOOKED_UP = 60.0  # seconds for which a name stands for the agent that was found by it


class AgentCache(BaseCache):
    """One agent's cache. Several aliases with one agent share its entries; KEY_PREFIX and VERSION tell keys apart.

    Every operation is one query. Only a new key can exceed MAX_ENTRIES, so only these are counted, and where the limit
    is 40 or more, only about once in a twentieth of it: the number of entries goes over the limit by that much.
    Culling takes what has expired, and then what was written longest ago.
    """

    # Kept for the process, with the time at which to look again: the name may be another agent's by then. An agent that
    # is gone is noticed earlier, because every statement looks for it.
    _agents: ClassVar[dict[tuple[str, str], tuple[UUID, float]]] = {}

    def __init__(self, location: object, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._location = str(location)

    def make_and_validate_key(self, key: Any, version: int | None = None) -> str:
        """Return what an entry is kept under: Django's key, or a hash after its beginning where no index takes it."""
        name = str(super().make_and_validate_key(key, version=version))
        whole = name.encode(errors="surrogatepass")
        if len(whole) <= KEY_BYTES and not UNFIT.search(name):
            return name
        return f"{UNFIT.sub('?', name[:SHOWN])}:sha256:{sha256(whole).hexdigest()}"

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self.get_many([key], version=version).get(key, default)

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        names = {self.make_and_validate_key(key, version=version): key for key in keys}
        values = {}
        for name, value in self._ask(lambda store: store.get_many(names)).items():
            with suppress(Unreadable):
                values[names[name]] = load(value)
        return values

    def has_key(self, key: Any, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version=version)
        return _counts(self._ask(lambda store: store._find(name)))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self.set_many({key: value}, timeout=timeout, version=version)

    def set_many(
        self, data: Mapping[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[Any]:
        values = {self.make_and_validate_key(key, version=version): dump(value) for key, value in data.items()}
        new = self._ask(lambda store: store.set_many(values, self._seconds(timeout)))
        self._make_room(values, new)
        return []

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        name, kept = self.make_and_validate_key(key, version=version), dump(value)
        seconds = self._seconds(timeout)
        added, there = self._ask(lambda store: store._add_or_tell(name, kept, seconds))
        if not added and not _is_readable(there):
            # Only while it is this one: of several callers who find it, one adds.
            self._ask(lambda store: store.entries.filter(agent=store.agent_id, key=name, value=there)._drop())
            added = self._ask(lambda store: store.add(name, kept, seconds))
        self._make_room([name], int(added))
        return added

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version=version)
        return _counts(self._ask(lambda store: store._touch(name, self._seconds(timeout))))

    def incr(self, key: Any, delta: Any = 1, version: int | None = None) -> Any:
        """Add to a number; when it expires stays as it was.

        Raises:
            ValueError: there is no such key.
            TypeError: the value is nothing to add to.
        """
        name = self.make_and_validate_key(key, version=version)
        try:
            return self._ask(lambda store: store.incr(name, delta))
        except NotANumber:
            # What is pickled may still be one, a Decimal for instance: no statement can add to that.
            return super().incr(key, delta, version=version)

    def delete(self, key: Any, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version=version)
        return self._ask(lambda store: store.delete(name))

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        names = [self.make_and_validate_key(key, version=version) for key in keys]
        self._ask(lambda store: store.delete_many(names))

    def clear(self) -> None:
        """Delete what any cache with this agent has written, whatever its prefix; what else the agent keeps stays."""
        self._ask(lambda store: store.clear())

    # BaseCache asks for many keys one by one, and reads and writes apart. (Checked as if for any BaseCache: ignored.)
    ahas_key = twin(has_key)  # type: ignore[arg-type]
    aget_many = twin(get_many)  # type: ignore[arg-type]
    aset_many = twin(set_many)  # type: ignore[arg-type]
    adelete_many = twin(delete_many)  # type: ignore[arg-type]
    aincr = twin(incr)  # type: ignore[arg-type]
    aget_or_set = twin(BaseCache.get_or_set)
    aincr_version = twin(BaseCache.incr_version)

    def _seconds(self, timeout: Any) -> float | None:
        return self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout

    def _ask(self, operation: Callable[[AgentStore], R]) -> R:
        from core_tables.models import Cache  # noqa: PLC0415 - settings name this module before there are models

        entries = Cache.objects.all()
        place = (entries.db, self._location)
        agent, until = self._agents.get(place, (None, 0.0))
        if agent is not None and monotonic() < until:
            with suppress(UnknownAgent):
                return operation(entries.of(agent, metadata=MARK))
        agent = _agent(self._location, using=entries.db)
        self._agents[place] = agent, monotonic() + LOOKED_UP
        return operation(entries.of(agent, metadata=MARK))

    def _make_room(self, fresh: Collection[str], new: int) -> None:
        """Cull, once in a while, when there are too many entries besides the fresh ones."""
        if random() * max(1, self._max_entries // 20) < new:  # noqa: S311 - no secret
            self._ask(lambda store: self._others(store, fresh).cull(self._max_entries, self._cull_frequency))

    def _others(self, store: AgentStore, fresh: Collection[str]) -> "CacheQuerySet":
        return store.entries.filter(agent=store.agent_id, metadata__contains=MARK).exclude(key__in=fresh)


def _is_readable(value: Any) -> bool:
    try:
        load(value)
    except Unreadable:
        return False
    return True


def _counts(found: Mapping[str, Any]) -> bool:
    """Return whether there is something, and no pickle that somebody else made."""
    return bool(found) and all(map(_is_readable, found.values()))


def _agent(location: str, *, using: str) -> UUID:
    from core_tables.models import Agent  # noqa: PLC0415

    try:
        condition = Q(pk=UUID(location))
    except ValueError:
        condition = Q(name=location)
    found = list(Agent.objects.using(using).filter(condition).values_list("pk", flat=True)[:2])
    if len(found) == 1:
        return found[0]
    remedy = "give the id of one of them" if found else "create the agent, or name one that there is"
    raise UnknownAgent(
        f"{'Several agents are' if found else 'No agent is'} called {location!r}, which is the LOCATION of a cache in "
        f"settings.CACHES: {remedy}."
    )
