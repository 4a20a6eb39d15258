import datetime
import decimal
import math
import pickle
import struct
import uuid
from collections import OrderedDict
from time import monotonic

import pytest
from asgiref.sync import async_to_sync
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import caches
from django.core.cache.backends.base import CacheKeyWarning
from django.db import ProgrammingError, connection
from django.db.models.functions import Now
from django.db.utils import ConnectionDoesNotExist
from django.test.utils import CaptureQueriesContext
from django.utils.safestring import mark_safe
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core_tables.cache import LOOKED_UP, AgentCache
from core_tables.exceptions import UnknownAgent
from core_tables.models import Agent, Cache
from core_tables.pickled import WRAPPER, dump
from tests.core_tables.test_cache import in_threads, seconds_left


class Shouting(str):
    __slots__ = ()


def made(location="Ada", **params):
    return AgentCache(location, params)


@pytest.fixture
def cache(store, agent):
    return made()


@pytest.fixture
def never_counted(monkeypatch):
    monkeypatch.setattr("core_tables.cache.random", lambda: 1.0)


def stored(key="k", version=1):
    return Cache.objects.get(key=f":{version}:{key}").value


def same(one, other):
    """Whether two values are the same in every part, but for the order of keys."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


# Values

JSON = [
    None,
    True,
    0,
    -(2**63) + 1,
    1.0,
    1e15,
    1e-7,
    0.1,
    "",
    "Zoë \U0001f600",
    r"\u0000",
    [],
    {},
    [{"a": [1.5, None]}],
]
OTHER = [
    (1, 2), {1}, {1: 2}, {None: 1}, b"\0\xff", math.nan, math.inf, -0.0, 1e16, 1e300, 2**63, 10**5000, "a\0b", "\ud800",
    "\ud83d\ude00", {"\0": 1}, [(1,)], datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), decimal.Decimal("1.10"),
    uuid.UUID(int=1), OrderedDict(b=1, a=2), Shouting("x"), {WRAPPER: "x"}, {WRAPPER: 1, "b": 2}, {"a": {1, 2}}, int,
    len,
]  # fmt: skip


@pytest.mark.parametrize("value", JSON, ids=ascii)
def test_what_json_holds_exactly_is_stored_as_it_is(cache, value):
    cache.set("k", value)
    assert same(cache.get("k", "missing"), value)
    assert same(stored(), value)


@pytest.mark.parametrize("value", OTHER, ids=lambda value: type(value).__name__)
def test_all_else_is_pickled(cache, value):
    cache.set("k", value)
    assert same(cache.get("k", "missing"), value)
    assert list(stored()) == [WRAPPER]


def test_what_is_safe_to_show_stays_so(cache):
    cache.set("k", mark_safe("<b>"))
    assert cache.get("k").__html__() == "<b>"


def test_a_list_that_holds_itself_comes_back(cache):
    value = [1]
    value.append(value)
    cache.set("k", value)
    found = cache.get("k")
    assert found[1] is found


def test_what_can_not_be_pickled_says_so(cache):
    with pytest.raises((pickle.PicklingError, AttributeError), match=r"lambda|local object"):
        cache.set("k", lambda: 1)


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]))
    | st.binary()
    | st.datetimes()
    | st.decimals(allow_nan=False)
    | st.just(WRAPPER)
)
keys = st.text() | st.integers() | st.just(WRAPPER)
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(keys, inner), max_leaves=8
)


@given(values)
@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_comes_back_the_same(cache, value):
    cache.set_many({"k": value, "list": [value]})
    assert same(cache.get("k", "missing"), value)
    assert same(cache.get("list"), [value])


# Pickles of others


def test_a_pickle_that_somebody_else_made_is_never_opened(cache, agent):
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("it was opened",)

    ours = dump((1,))[WRAPPER]
    signature = ours.rpartition(":")[2]
    trap = pickle.dumps(Trap()).hex()
    for forged in (trap, f"{trap}:{signature}", "", None, 1, {}, ours + "x"):
        Cache.objects.of(agent).set(":1:k", {WRAPPER: forged})
        assert cache.get("k", "missing") == "missing"
        assert cache.get_many(["k"]) == {}


def test_another_secret_key_makes_a_pickle_missing_and_not_wrong(cache, settings):
    cache.set_many({"k": (1,), "plain": [1]})
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another" * 9
    assert cache.get_many(["k", "plain"]) == {"plain": [1]}
    settings.SECRET_KEY_FALLBACKS = [old]
    assert cache.get("k") == (1,)


def test_a_pickle_that_counts_as_missing_is_missing_in_every_way(cache, settings, never_counted):
    cache.set_many({"k": (1,), "lock": (1,)})
    settings.SECRET_KEY = "another" * 9
    assert "k" not in cache
    assert not cache.touch("k")
    assert cache.add("lock", (2,))
    assert not cache.add("lock", (3,))
    assert cache.get("lock") == (2,)
    assert cache.get_or_set("k", lambda: (4,)) == (4,)
    assert "k" in cache
    assert cache.touch("k")


@pytest.mark.parametrize(
    "key", ["https://example.org/" + "é" * 5000, "a\0b", "half \ud800"], ids=["long", "NUL", "half"]
)
@pytest.mark.filterwarnings("ignore::django.core.cache.backends.base.CacheKeyWarning")
def test_a_key_that_no_index_takes_is_kept_under_a_hash(cache, key):
    cache.set_many({key: 1, key + "x": 2})
    assert cache.get_many([key, key + "x"]) == {key: 1, key + "x": 2}
    assert cache.incr(key) == 2
    kept = Cache.objects.values_list("key", flat=True)
    assert all(name.startswith(":1:" + key[:1]) and ":sha256:" in name for name in kept)


def test_what_is_nested_too_deeply_says_so(cache):
    value = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(pickle.PicklingError, match="nested too deeply"):
        cache.set("k", value)


def test_programs_share_what_is_json(cache, agent):
    Cache.objects.of(agent).set(":1:theirs", {"b": 1, "a": [2]})
    cache.set("ours", {"c": 3})
    assert cache.get("theirs") == {"a": [2], "b": 1}
    assert Cache.objects.of(agent).get(":1:ours") == {"c": 3}


# The operations of a Django cache


def test_keys_have_versions_and_prefixes(cache):
    prefixed = made(KEY_PREFIX="p", VERSION=2)
    cache.set("k", 1)
    cache.set("k", 2, version=2)
    prefixed.set("k", 3)
    assert [cache.get("k"), cache.get("k", version=2), prefixed.get("k"), prefixed.get("k", version=1)] == [
        1,
        2,
        3,
        None,
    ]
    assert cache.incr_version("k") == 2
    assert [cache.get("k"), cache.get("k", version=2)] == [None, 1]
    with pytest.raises(ValueError, match="not found"):
        cache.incr_version("missing")


def test_a_function_makes_the_keys(cache):
    plain = made(KEY_FUNCTION=lambda key, _prefix, _version: key)
    plain.set_many({"a": 1, "b": (2,)})
    assert plain.get_many(["a", "b", "c"]) == {"a": 1, "b": (2,)}
    assert Cache.objects.get(key="a").value == 1


OPERATIONS = {
    "get": lambda cache, key: cache.get(key),
    "set": lambda cache, key: cache.set(key, 1),
    "add": lambda cache, key: cache.add(key, 1),
    "touch": lambda cache, key: cache.touch(key),
    "incr": lambda cache, key: cache.incr(key),
    "has_key": lambda cache, key: cache.has_key(key),
    "get_many": lambda cache, key: cache.get_many([key, "b"]),
    "set_many": lambda cache, key: cache.set_many({key: 1, "b": 2}),
    "delete": lambda cache, key: cache.delete(key),
    "delete_many": lambda cache, key: cache.delete_many([key, "b"]),
}


@pytest.mark.parametrize("ask", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("key", ["with space", "a" * 300])
def test_keys_that_memcached_refuses_are_warned_of(cache, key, ask):
    with pytest.warns(CacheKeyWarning, match="memcached"):
        cache.set(key, 1)
    with pytest.warns(CacheKeyWarning, match="memcached") as warned:
        ask(cache, key)
    assert len(warned) == 1


@pytest.mark.parametrize("ask", [*OPERATIONS.values(), AgentCache.clear], ids=[*OPERATIONS, "clear"])
def test_an_operation_is_one_query(cache, never_counted, ask):
    cache.set("k", 1)
    with CaptureQueriesContext(connection) as captured:
        ask(cache, "k") if ask is not AgentCache.clear else ask(cache)
    assert len(captured) == 1


@pytest.mark.parametrize(
    ("timeout", "left"), [({}, 300), ({"timeout": 60.5}, 60.5), ({"timeout": None}, None), ({"timeout": 10**12}, None)]
)
def test_values_expire_after_their_timeout(cache, timeout, left):
    cache.set("set", 1, **timeout)
    cache.set_many({"many": 1}, **timeout)
    assert cache.add("add", 1, **timeout)
    cache.set("touch", 1, 5)
    assert cache.touch("touch", **timeout)
    assert cache.get_or_set("default", 1, **timeout) == 1
    for key in ("set", "many", "add", "touch", "default"):
        assert seconds_left(f":1:{key}") == (left and pytest.approx(left, abs=2))


@pytest.mark.parametrize("timeout", [0, -1, -0.5])
def test_some_timeouts_are_over_at_once(cache, timeout):
    cache.set("set", 1, timeout)
    cache.set_many({"many": 1}, timeout)
    assert cache.add("add", 1, timeout)
    assert cache.add("add", 1, timeout)
    cache.set("touch", 1)
    assert cache.touch("touch", timeout)
    assert cache.get_many(["set", "many", "add", "touch"]) == {}
    assert not cache.has_key("set")
    assert not cache.touch("set")
    assert not cache.delete("set")


def test_the_default_timeout_may_be_for_good(cache):
    made(TIMEOUT=None).set("k", 1)
    assert seconds_left(":1:k") is None


def test_adding(cache):
    assert cache.add("k", None)
    assert not cache.add("k", 1)
    assert cache.get("k", "missing") is None
    assert cache.get_or_set("k", 1) is None
    assert cache.get_or_set("new", lambda: (1,)) == (1,)


@pytest.mark.parametrize(
    ("start", "delta", "total"), [(41, 1, 42), (1, -2, -1), (2**70, 1, 2**70 + 1), (decimal.Decimal("1.5"), 1, 2.5)]
)
def test_numbers_of_any_kind_can_be_added_to(cache, start, delta, total):
    cache.set("n", start)
    assert cache.incr("n", delta) == total
    assert cache.get("n") == total
    assert cache.decr("n", delta) == start


def test_a_sum_expires_when_the_number_would_have(cache):
    cache.set("n", 1, 5)
    cache.incr("n")
    assert seconds_left(":1:n") <= 5


@pytest.mark.parametrize(("value", "error"), [("1", TypeError), (None, TypeError), ([], TypeError)])
def test_what_can_not_be_added_to(cache, value, error):
    cache.set("n", value)
    with pytest.raises(error):
        cache.incr("n")
    with pytest.raises(ValueError, match="nothing under ':1:missing'"):
        cache.decr("missing")


def test_clearing_leaves_what_other_programs_and_agents_keep(cache, agent):
    Agent.objects.create(name="Grace")
    Cache.objects.of(agent).set("theirs", 1)
    grace = made("Grace")
    for one in (cache, grace, made(KEY_PREFIX="p")):
        one.set("k", 1)
    cache.clear()
    assert set(Cache.objects.values_list("key", "agent__name")) == {("theirs", "Ada"), (":1:k", "Grace")}


# Room


def test_too_many_entries_are_culled(cache, agent):
    Cache.objects.of(agent).set("theirs", 1)
    small = made(OPTIONS={"MAX_ENTRIES": 10})
    for number in range(12):
        small.set(f"k{number}", number)
    # The twelfth found eleven besides itself: a third of them went, the oldest.
    assert [number for number in range(12) if f"k{number}" in small] == list(range(3, 12))
    assert Cache.objects.of(agent).get("theirs") == 1


def test_what_has_expired_is_culled_first(cache):
    small = made(OPTIONS={"MAX_ENTRIES": 10})
    small.set_many({f"k{number}": number for number in range(11)})
    Cache.objects.filter(key__in=[":1:k9", ":1:k10"]).update(expires_at=Now())
    small.add("new", 1)
    assert [number for number in range(11) if f"k{number}" in small] == list(range(9))
    assert Cache.objects.count() == 10


def test_everything_but_what_is_new_can_be_culled(cache):
    small = made(OPTIONS={"MAX_ENTRIES": 2, "CULL_FREQUENCY": 0})
    small.set_many({"a": 1, "b": 2, "c": 3})
    small.set("d", 4)
    assert small.get_many("abcd") == {"d": 4}


def test_only_new_keys_are_counted_and_few_of_them(cache, monkeypatch):
    monkeypatch.setattr("core_tables.cache.random", lambda: 0.1)
    large = made(OPTIONS={"MAX_ENTRIES": 200})  # a tenth, at random
    assert large.get("a") is None
    with CaptureQueriesContext(connection) as captured:
        large.set("a", 1)
        large.set("a", 2)
        large.add("a", 3)
    assert len(captured) == 3
    monkeypatch.setattr("core_tables.cache.random", lambda: 0.09)
    with CaptureQueriesContext(connection) as captured:
        large.set("a", 1)
        large.set("b", 2)
    assert ["COUNT" in query["sql"] for query in captured] == [False, False, True]


# Whose cache it is


def test_an_agent_is_named_by_name_or_id(store, agent):
    made("Ada").set("k", 1)
    assert made(str(agent.pk)).get("k") == 1
    assert made(agent.pk).get("k") == 1


@pytest.mark.parametrize("ask", [*OPERATIONS.values(), AgentCache.clear], ids=[*OPERATIONS, "clear"])
def test_an_agent_that_is_not_there_is_told_with_the_remedy(store, ask):
    with pytest.raises(UnknownAgent, match=r"No agent is called 'Nobody', .*settings\.CACHES: create the agent"):
        ask(made("Nobody"), "k") if ask is not AgentCache.clear else ask(made("Nobody"))


def test_a_name_that_two_agents_have_is_refused(store, agent):
    Agent.objects.create(name="Twin")
    Agent.objects.create(name="Twin")
    with pytest.raises(UnknownAgent, match=r"Several agents are called 'Twin', .*give the id of one"):
        made("Twin").get("k")


ANSWERS = {"get": 1, "add": False, "touch": True, "incr": 2, "has_key": True, "get_many": {"k": 1}, "delete": True}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_agent_made_anew_is_found_again(cache, agent, name):
    cache.set("k", 7)
    agent.delete()
    anew = Cache.objects.of(Agent.objects.create(name="Ada"))
    anew.set(":1:k", 1)
    answer = OPERATIONS[name](cache, "k")
    assert answer == ANSWERS.get(name, answer)
    assert (":1:k" in anew, ":1:b" in anew) == (not name.startswith("delete"), name == "set_many")


def test_a_name_is_looked_up_again_for_it_may_be_another_agents(cache, agent, monkeypatch):
    cache.set("k", "hers")
    Agent.objects.patch(agent, name="Ada the elder")
    anew = Agent.objects.create(name="Ada")
    assert cache.get("k") == "hers"
    later = monotonic() + LOOKED_UP
    monkeypatch.setattr("core_tables.cache.monotonic", lambda: later)
    assert cache.get("k") is None
    cache.set("k", "anew")
    assert Cache.objects.of(anew).get(":1:k") == "anew"


def test_what_is_nested_is_read_from_anywhere(cache):
    value = []
    for _ in range(300):
        value = [value]
    cache.set("k", value)
    assert WRAPPER in stored()
    assert cache.get("k") == value


def test_it_asks_for_the_agent_once(cache, never_counted):
    AgentCache._agents.clear()
    with CaptureQueriesContext(connection) as captured:
        for _ in range(3):
            made().set("k", 1)
    assert ["SELECT" in query["sql"][:10] for query in captured] == [True, False, False, False]


class Elsewhere:
    def __init__(self, reads, writes):
        self.db_for_read = lambda model, **_: reads if model is Cache else None
        self.db_for_write = lambda model, **_: writes if model is Cache else None


@pytest.mark.parametrize("name", OPERATIONS)
def test_routers_choose_the_database(cache, settings, name):
    cache.set("k", 1)
    reads = name in ("get", "get_many", "has_key")
    settings.DATABASE_ROUTERS = [Elsewhere("default", "elsewhere")]
    if reads:
        OPERATIONS[name](cache, "k")
    else:
        with pytest.raises(ConnectionDoesNotExist, match="elsewhere"):
            OPERATIONS[name](cache, "k")
    settings.DATABASE_ROUTERS = [Elsewhere("elsewhere", "elsewhere")]
    with pytest.raises(ConnectionDoesNotExist, match="elsewhere"):
        OPERATIONS[name](cache, "k")


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_database_that_fails_is_told(cache, name):
    cache.set("k", 1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cache RENAME TO elsewhere")
    with pytest.raises(ProgrammingError):
        OPERATIONS[name](cache, "k")
    connection.needs_rollback = True


# In a project


@pytest.fixture
def project(settings):
    settings.CACHES = {
        "default": {"BACKEND": "core_tables.cache.AgentCache", "LOCATION": "Ada", "OPTIONS": {"MAX_ENTRIES": 1000}}
    }


def test_a_project_names_it_in_its_settings(store, agent, project):
    caches["default"].set("k", (1,))
    assert caches["default"].get("k") == (1,)
    session = SessionStore()
    session["user"] = 7
    session.save()
    assert SessionStore(session.session_key)["user"] == 7


def test_everything_can_be_awaited(cache, never_counted):
    async_to_sync(everything)(cache)


async def everything(cache):
    await cache.aset("k", 1)
    assert await cache.aget("k") == 1
    assert not await cache.aadd("k", 2)
    assert await cache.aincr("k") == 2
    assert await cache.adecr("k") == 1
    assert await cache.atouch("k", 60)
    assert await cache.ahas_key("k")
    assert await cache.aget_or_set("new", lambda: (3,)) == (3,)
    assert await cache.aincr_version("new") == 2
    await cache.aset_many({"a": 1, "b": 2})
    assert await cache.aget_many(["a", "b", "k"]) == {"a": 1, "b": 2, "k": 1}
    await cache.adelete_many(["a", "b"])
    assert await cache.adelete("k")
    await cache.aclear()
    await cache.aclose()


def test_what_is_awaited_is_one_query_too(cache, never_counted):
    cache.set("k", 1)
    with CaptureQueriesContext(connection) as captured:
        async_to_sync(cache.aset_many)({"a": 1, "b": 2})
        async_to_sync(cache.aget_many)(["a", "b"])
        async_to_sync(cache.aincr)("k")
        async_to_sync(cache.ahas_key)("k")
        async_to_sync(cache.adelete_many)(["a", "b"])
    assert len(captured) == 5


def test_many_threads_count_and_agree(committed_store, agent):
    made().set("n", 0)
    in_threads(lambda _: [made().incr("n") for _ in range(5)])
    assert made().get("n") == 80
    assert len(set(in_threads(lambda place: made().get_or_set("k", lambda: (place,))))) == 1
    assert in_threads(lambda place: made().add("lock", place)).count(True) == 1


def test_many_threads_overflow_a_small_cache(committed_store, agent):
    small = {"OPTIONS": {"MAX_ENTRIES": 20}}
    in_threads(lambda place: [made(**small).set_many({f"{place}-{n}": n, f"k{n}": n}) for n in range(20)])
    # One at a time takes a third of more than 20; the others may go on meanwhile.
    assert 14 <= Cache.objects.count() <= 100
