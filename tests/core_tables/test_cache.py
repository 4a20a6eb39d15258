import asyncio
import datetime
import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, connections, transaction
from django.db.models import Count
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core_tables.agent_store import AgentStore
from core_tables.exceptions import InvalidKey, InvalidValue, NotANumber, UnknownAgent
from core_tables.models import Agent, Cache

THREADS = 16
SECOND = datetime.timedelta(seconds=1)


@pytest.fixture
def cache(store, agent):
    return Cache.objects.of(agent)


@pytest.fixture
def other(store):
    return Cache.objects.of(Agent.objects.create(name="Grace"))


def expire(*keys):
    Cache.objects.filter(key__in=keys).update(expires_at=Now() - SECOND)


def seconds_left(key):
    entry = Cache.objects.annotate(now=Now()).get(key=key)
    return entry.expires_at and (entry.expires_at - entry.now).total_seconds()


def queries(ask):
    with CaptureQueriesContext(connection) as captured:
        ask()
    return len(captured)


def in_threads(ask, count=THREADS):
    """Ask from many threads at once; return what each said."""
    barrier = Barrier(count)

    def one(place):
        try:
            barrier.wait(10)
            return ask(place)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


# Reading and writing


@pytest.mark.parametrize(
    "value", [None, True, 0, 1.5, "Zoë", "", [], {"a": [1, {"b": None}]}, r"a\u0000b", "{}", "null"]
)
def test_a_value_comes_back(cache, value):
    cache.set("k", value)
    assert cache.get("k", "default") == value
    assert "k" in cache
    assert Cache.objects.get(key="k").value == value


ASKED = {
    "get": lambda cache, key: cache.get(key),
    "has_key": lambda cache, key: key in cache,
    "set": lambda cache, key: cache.set(key, 1),
    "add": lambda cache, key: cache.add(key, 1),
    "touch": lambda cache, key: cache.touch(key),
    "incr": lambda cache, key: cache.incr(key),
    "delete": lambda cache, key: cache.delete(key),
    "set_many": lambda cache, key: cache.set_many({"a": 1, key: 2}),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize(
    ("key", "error"), [(1, TypeError), (None, TypeError), ("a\0b", InvalidKey), ("\ud800", InvalidKey)]
)
def test_a_key_is_a_text_that_postgresql_takes(cache, key, error, ask):
    with pytest.raises(error, match=r"key .*: take"):
        ask(cache, key)
    assert not Cache.objects.exists()  # and the transaction goes on


def test_a_key_fits_its_index(cache):
    longest = "".join(chr(ord("a") + ord(letter) % 26) for letter in random.Random(1).randbytes(2500).decode("latin-1"))
    assert cache.set(longest, 1)
    assert cache.get(longest) == 1
    with pytest.raises(InvalidKey, match=r"has 2,501 bytes, and 2,500 is the most .*: keep the value under a hash"):
        cache.set(longest + "x", 1)
    assert cache.get(longest + "x") is None


def test_what_is_not_there_is_the_default(cache):
    assert cache.get("k") is None
    assert cache.get("k", 7) == 7
    assert cache.get_many(["k"]) == {}
    assert not cache.has_key("k")


def test_setting_tells_which_keys_are_new(cache):
    assert cache.set("a", 1)
    assert not cache.set("a", 2)
    assert cache.set_many({"a": 3, "b": 4, "c": 5}) == 2
    assert cache.get_many(iter(["a", "b", "c", "d"])) == {"a": 3, "b": 4, "c": 5}


def test_agents_do_not_see_each_others_keys(cache, other):
    cache.set("k", 1)
    assert other.get("k") is None
    assert other.add("k", 2)
    other.clear()
    assert cache.get("k") == 1


def test_an_update_keeps_what_is_not_its_own(cache, agent):
    before = timezone.now() - SECOND
    Cache.objects.create(
        key="k", agent=agent, value=1, metadata={"why": "weather"}, created_at=before, updated_at=before
    )
    cache.set("k", 2)
    entry = Cache.objects.get(key="k")
    assert (entry.value, entry.metadata, entry.created_at) == (2, {"why": "weather"}, before)
    assert entry.updated_at > before


def test_adding_never_replaces_what_is_live(cache):
    assert cache.add("k", 1)
    assert not cache.add("k", 2)
    assert cache.get("k") == 1
    expire("k")
    assert cache.add("k", 3, 60)
    assert cache.get("k") == 3
    assert 59 < seconds_left("k") <= 60


def test_get_or_set_calls_only_what_it_needs(cache):
    calls = []
    assert cache.get_or_set("k", lambda: calls.append(1) or "made") == "made"
    assert cache.get_or_set("k", lambda: calls.append(1) or "again") == "made"
    assert cache.get_or_set("plain", [1], 60) == [1]
    assert cache.get_or_set("none", None) is None
    assert len(calls) == 1
    assert "none" in cache


def test_deleting_tells_what_there_was(cache):
    cache.set_many({"a": 1, "b": 2, "old": 3, "c": 4})
    expire("old")
    assert cache.delete("a")
    assert not cache.delete("a")
    assert cache.delete_many(["b", "old", "missing"]) == 1
    assert list(Cache.objects.values_list("key", flat=True)) == ["c"]
    assert cache.clear() == 1


def test_metadata_sets_some_entries_apart(cache, agent):
    weather = Cache.objects.of(agent, metadata={"source": "weather"})
    cache.set_many({"mine": 1, "shared": 1})
    weather.set_many({"sun": 1, "shared": 2})
    assert Cache.objects.get(key="sun").metadata == {"source": "weather"}
    assert weather.clear() == 2
    assert cache.get_many(["mine", "shared", "sun"]) == {"mine": 1}


# Numbers


@pytest.mark.parametrize(
    ("start", "delta", "total"),
    [(1, 1, 2), (1, -5, -4), (1.5, 1, 2.5), (2**62, 2**62, 2**63), (0.1, 0.2, 0.3), (1, True, 2), (1, 1e-7, 1.0000001)],
)
def test_adding_to_a_number(cache, start, delta, total):
    cache.set("n", start)
    assert cache.incr("n", delta) == total
    assert cache.get("n") == total
    assert cache.decr("n", delta) == start


def test_a_sum_expires_when_the_number_would_have(cache):
    cache.set("n", 1, 60)
    cache.incr("n")
    assert 50 < seconds_left("n") <= 60


@pytest.mark.parametrize("value", ["1", None, True, [1], {}])
def test_only_a_number_can_be_added_to(cache, value):
    cache.set("n", value)
    with pytest.raises(NotANumber, match=r"Under 'n' is no number but a \w+: set"):
        cache.incr("n")
    assert cache.get("n") == value


@pytest.mark.parametrize("delta", ["1", b"1", None, [1], 1j], ids=repr)
def test_only_a_number_can_be_added(cache, delta):
    cache.set("n", 1)
    with pytest.raises(TypeError, match="What is to be added is a number, not"):
        cache.incr("n", delta)


def nested(depth):
    return [nested(depth - 1)] if depth > 1 else []


def test_what_is_nested_can_be_read_from_anywhere(cache):
    cache.set("k", nested(100))
    assert cache.get("k") == nested(100)
    with pytest.raises(InvalidValue, match=r"under 'k' is not JSON \(it is nested more than 100 deep"):
        cache.set("k", nested(101))
    cache.set("k", [[]] * 200)


def test_there_is_nothing_to_add_to(cache):
    with pytest.raises(ValueError, match="nothing under 'n' to add to: add"):
        cache.incr("n")
    cache.set("n", 1, 0)
    with pytest.raises(ValueError, match="nothing under 'n'"):
        cache.decr("n")
    with pytest.raises(ValueError, match="finite"):
        cache.incr("n", float("nan"))
    with pytest.raises(ValueError, match="finite"):
        cache.incr("n", 10**400)


# Expiry


@pytest.mark.parametrize("timeout", [0, -1, -1e300, datetime.timedelta(), float("-inf")])
def test_some_values_expire_at_once(cache, timeout):
    cache.set("a", 1, timeout)
    assert cache.add("b", 1, timeout)
    cache.set("c", 1)
    assert cache.touch("c", timeout)
    assert cache.get_many("abc") == {}


@pytest.mark.parametrize(("timeout", "error"), [("60", TypeError), (float("nan"), ValueError)])
def test_a_timeout_is_a_number(cache, timeout, error):
    with pytest.raises(error, match="timeout"):
        cache.set("k", 1, timeout)


@pytest.mark.parametrize("timeout", [None, 10**400, 1e12, float("inf"), datetime.timedelta.max])
def test_some_values_never_expire(cache, timeout):
    cache.set("k", 1, timeout)
    assert seconds_left("k") is None


@pytest.mark.parametrize("timeout", [90, 90.5, datetime.timedelta(minutes=1.5)])
def test_a_timeout_is_in_seconds_or_a_timedelta(cache, timeout):
    cache.set("k", 1, timeout)
    assert 88 < seconds_left("k") < 91
    cache.set("k", 1)
    assert seconds_left("k") is None


def test_touching_counts_from_now(cache):
    cache.set("k", 1, 10)
    assert cache.touch("k", 1000)
    assert seconds_left("k") > 990
    assert cache.touch("k")
    assert seconds_left("k") is None
    expire("k")
    assert not cache.touch("k", 1000)
    assert not cache.touch("missing", 1000)


def test_live_and_expired_share_the_entries_out(cache, agent):
    cache.set_many({"never": 1, "old": 1})
    cache.set("soon", 1, 60)
    expire("old")
    assert {entry.key for entry in agent.cache_entries.live()} == {"never", "soon"}
    assert {entry.key for entry in agent.cache_entries.expired()} == {"old"}
    assert agent.cache_entries.of(agent).get("never") == 1


def test_what_has_expired_is_deleted_in_batches(cache, other):
    cache.set_many({f"k{n}": n for n in range(7)}, 0)
    cache.set("live", 1, 60)
    other.set("old", 1, 0)
    assert list(Cache.objects.filter(agent=cache.agent_id).delete_expired(batch=3)) == [3, 3, 1]
    assert set(Cache.objects.values_list("key", flat=True)) == {"live", "old"}
    assert list(Cache.objects.filter(agent__name="Grace").delete_expired()) == [1]
    assert list(Cache.objects.delete_expired()) == []
    assert list(Cache.objects.none().delete_expired()) == []
    with pytest.raises(ValueError, match="at least 1"):
        next(Cache.objects.delete_expired(batch=0))


def test_deleting_what_has_expired_takes_the_oldest_first(cache):
    cache.set("older", 1, -100)
    cache.set("old", 1, -1)
    next(Cache.objects.delete_expired(batch=1))
    assert cache.entries.get().key == "old"


@pytest.mark.parametrize("rows", [Cache.objects.distinct, lambda: Cache.objects.annotate(n=Count("agent"))])
def test_rows_that_are_distinct_or_grouped_go_too(cache, rows):
    cache.set_many({"a": 1, "b": 1, "c": 1}, 0)
    cache.set("d", 1)
    assert list(rows().delete_expired(batch=2)) == [2, 1]
    assert Cache.objects.distinct().cull(0, 1) == 1


def test_deleting_what_has_expired_waits_for_nobody(committed_store, agent):
    cache = Cache.objects.of(agent)
    cache.set_many({"held": 1, "free": 1}, 0)
    with transaction.atomic():
        Agent.objects.select_for_update().get()
        cache.set("held", 2)
        [found] = in_threads(lambda _: list(Cache.objects.filter(agent__name="Ada").delete_expired(batch=1)), 1)
    assert found == [1]
    assert cache.get_many(["held", "free"]) == {"held": 2}


# Culling


def test_culling_takes_the_expired_and_then_the_oldest(cache, other):
    cache.set_many({"c": 1, "old": 1})
    for key in "ab":
        cache.set(key, 1)
    other.set("k", 1)
    expire("old")
    mine = Cache.objects.filter(agent=cache.agent_id)
    assert mine.cull(4, 3) == 0
    assert mine.cull(3, 3) == 1
    assert mine.cull(2, 3) == 1
    assert {entry.key for entry in mine} == {"a", "b"}
    assert mine.cull(1, 0) == 2
    assert Cache.objects.get().key == "k"


def test_one_culls_and_the_others_go_on(committed_store, agent):
    Cache.objects.of(agent).set_many(dict.fromkeys("abcdef", 1))
    with transaction.atomic():
        assert Cache.objects.cull(3, 3) == 2
        assert in_threads(lambda _: Cache.objects.cull(3, 3), 2) == [0, 0]
    assert Cache.objects.cull(3, 3) == 1


# What is refused


@pytest.mark.parametrize(
    "value",
    [{1}, b"x", float("nan"), float("inf"), "a\0b", ["\\\0"], {"\0": 1}, "\ud800", object(), 10**5000],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_json_is_refused_by_name(cache, value):
    with pytest.raises(InvalidValue, match=r"(?s)kept under 'k' is not JSON \(.+\)\..*AgentCache"):
        cache.set("k", value)
    assert cache.get("k") is None  # the transaction goes on


@pytest.mark.parametrize(
    "ask",
    [
        lambda cache: cache.get("k"),
        lambda cache: cache.has_key("k"),
        lambda cache: cache.set("k", 1),
        lambda cache: cache.add("k", 1),
        lambda cache: cache.get_or_set("k", 1),
        lambda cache: cache.touch("k"),
        lambda cache: cache.incr("k"),
        lambda cache: cache.delete("k"),
        lambda cache: cache.clear(),
    ],
)
def test_an_agent_that_is_gone_is_told_at_once(store, ask):
    gone = uuid.uuid4()
    with pytest.raises(UnknownAgent, match=f"no agent with the id {gone}: create it"):
        ask(Cache.objects.of(gone))


# What it costs


@pytest.mark.parametrize(
    ("count", "ask"),
    [
        (1, lambda cache: cache.get("k")),
        (1, lambda cache: cache.get_many(["k", "missing"])),
        (1, lambda cache: "k" in cache),
        (1, lambda cache: cache.set("k", 1, 60)),
        (1, lambda cache: cache.set_many({"k": 1, "new": 2})),
        (1, lambda cache: cache.add("k", 1)),
        (1, lambda cache: cache.get_or_set("k", 1)),
        (2, lambda cache: cache.get_or_set("new", 1)),
        (1, lambda cache: cache.touch("k", 1)),
        (1, lambda cache: cache.incr("k")),
        (1, lambda cache: cache.delete("k")),
        (1, lambda cache: cache.delete_many(["k", "missing"])),
        (1, lambda cache: cache.clear()),
        (0, lambda cache: (cache.get_many([]), cache.set_many({}), cache.delete_many([]))),
    ],
)
def test_an_operation_is_one_statement(cache, count, ask):
    cache.set("k", 0)
    assert queries(lambda: ask(cache)) == count


# Many at once


def test_sums_are_exact(committed_store, agent):
    cache = Cache.objects.of(agent)
    cache.set("n", 0)
    in_threads(lambda _: [cache.incr("n", 3) for _ in range(10)])
    assert cache.get("n") == THREADS * 30


@pytest.mark.parametrize("expired", [False, True])
def test_one_of_many_adds(committed_store, agent, expired):
    cache = Cache.objects.of(agent)
    if expired:
        cache.set("k", "old", 0)
    added = in_threads(lambda place: cache.add("k", place))
    assert added.count(True) == 1
    assert cache.get("k") == added.index(True)


def test_all_get_the_value_of_one(committed_store, agent):
    cache = Cache.objects.of(agent)
    assert len(set(in_threads(lambda place: cache.get_or_set("k", lambda: place)))) == 1


def test_many_keys_in_any_order_never_lock_in_a_circle(committed_store, agent):
    cache = Cache.objects.of(agent)
    keys = [f"{'k' * (n % 5)}{n}" for n in range(60)]

    def ask(place):
        for turn in range(6):
            order = keys if (place + turn) % 2 else keys[::-1]
            if (place + turn) % 3 == 0:
                cache.delete_many(order)
            elif (place + turn) % 7 == 0:
                cache.clear()
            else:
                cache.set_many(dict.fromkeys(order, place), 0 if turn % 3 else 60)
            sum(Cache.objects.delete_expired(batch=20))

    in_threads(ask, 8)


# Awaiting


def test_everything_can_be_awaited(cache):
    async_to_sync(everything)(cache)


async def everything(cache):
    assert await cache.aset("k", 1)
    assert await cache.aset_many({"a": 1, "b": 2}, 60) == 2
    assert await cache.aget("k") == 1
    assert await cache.aget_many(["a", "b"]) == {"a": 1, "b": 2}
    assert await cache.ahas_key("k")
    assert not await cache.aadd("k", 2)
    assert await cache.aget_or_set("k", 2) == 1
    assert await cache.aincr("k", delta=2) == 3
    assert await cache.adecr("k") == 2
    assert await cache.atouch("k", 0)
    assert [count async for count in Cache.objects.adelete_expired(batch=1)] == [1]
    assert await cache.adelete("a")
    assert await cache.adelete_many(["b"]) == 1
    assert await cache.aclear() == 0


def test_every_operation_of_a_store_has_its_twin():
    names = {name for name in vars(AgentStore) if not name.startswith("_") and callable(getattr(AgentStore, name))}
    plain = {name for name in names if not asyncio.iscoroutinefunction(getattr(AgentStore, name))}
    assert {f"a{name}" for name in plain} == names - plain


def test_an_agent_has_its_cache(store, agent):
    agent.cache.set("turns", 3)
    assert (agent.cache.get("turns"), Cache.objects.of(agent.pk).get("turns")) == (3, 3)
