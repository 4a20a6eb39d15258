"""The cache: its list, the page of an entry, and its end."""

import datetime
import html
import pickle
import re
import uuid

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core_tables import pickled
from core_tables.models import Agent, Cache
from tests.admin.visits import HOSTILE, queries, text_of

LIST = reverse("admin:core_tables_cache_changelist")
CLEAR = reverse("admin:core_tables_cache_clear")
CLEAR_EXPIRED = reverse("admin:core_tables_cache_clear_expired")
NOBODY = uuid.UUID(int=4)
ODD_KEYS = ["a/b", "..", ".", "", " ", "a b", "ü:€", "x?y=1&z#w", "a\nb\r", "%2F", "_2F", "<b>\"'", "a:b:c", "+", "\\"]
LINK = re.compile(f'"({LIST}[^"]+/change/)"')
MANY = """
INSERT INTO cache (key, agent_id, value, expires_at)
SELECT 'page:' || n, %s, jsonb_build_object('n', n),
       CASE WHEN n %% 2 = 0 THEN now() + (n %% 10 - 5) * interval '1 hour' END
  FROM generate_series(1, %s) AS n ON CONFLICT DO NOTHING
"""


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("A pickle was opened.",))


def page(agent, key, view="change"):
    return reverse(f"admin:core_tables_cache_{view}", args=[quote(f"{agent.pk}:{key}")])


def fill(agent, count):
    with connection.cursor() as cursor:
        cursor.execute(MANY, [agent.pk, count])
        cursor.execute("ANALYZE cache, agents")


def keys(client, query=""):
    return [entry.key for entry in client.get(f"{LIST}{query}").context["cl"].result_list]


@pytest.fixture
def store(agent):
    return Cache.objects.of(agent)


@pytest.fixture
def viewer(staff, browse):
    return browse(staff("core_tables.view_cache"))


class TestList:
    def test_shows_what_is_kept(self, client, store):
        store.set("weather:Berlin", {"sky": "clear"}, timeout=None)
        store.set("gone", 1, timeout=-60)
        shown = text_of(client.get(LIST))
        for part in ("weather:Berlin", "Ada", "never", "bytes", "&quot;sky&quot;: &quot;clear&quot;"):
            assert part in shown
        assert keys(client) == ["gone", "weather:Berlin"]

    def test_is_narrowed(self, client, store):
        other = Cache.objects.of(Agent.objects.create(name="Bob"))
        for key in ("a:1", "a:2", "b"):
            store.set(key, 1)
        other.set("a:1", 2, timeout=-1)
        assert keys(client, f"?agent={other.agent_id}") == ["a:1"]
        assert keys(client, "?expiry=expired") == ["a:1"]
        assert keys(client, "?expiry=live") == ["a:1", "a:2", "b"]
        assert keys(client, "?q=a:") == ["a:1", "a:1", "a:2"]
        assert keys(client, "?q=A:") == []
        assert keys(client, f"?q=a%25&agent={other.agent_id}") == []

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_leads_to_every_entry(self, client, store, key):
        store.set(key, {"found": key})
        (link,) = LINK.findall(text_of(client.get(LIST)))
        response = client.get(html.unescape(link))
        assert response.status_code == 200
        assert response.context["entry"].key == key

    def test_loads_no_values(self, client, store):
        store.set("large", [uuid.uuid4().hex for _ in range(9_000)])
        assert "(large)" in text_of(client.get(LIST))
        assert not any('"cache"."value",' in query["sql"] for query in queries(client, LIST))

    @pytest.mark.parametrize(
        "query", ["?agent=x", "?p=99999", "?value__a=1", "?q=%00", "?o=1.-2", "?key__startswith=a"]
    )
    def test_survives_any_address(self, client, store, query):
        store.set("a", 1)
        assert client.get(f"{LIST}{query}").status_code in (200, 302, 400)

    def test_asks_as_much_for_a_hundred_thousand_as_for_some(self, client, agent):
        fill(agent, 60)
        agents = f"agent={agent.pk}"
        addresses = [
            *(LIST, f"{LIST}?q=page:1", f"{LIST}?expiry=expired", f"{LIST}?expiry=live", f"{LIST}?{agents}"),
            *(
                f"{LIST}?{agents}&q=page:1&expiry=live",
                page(agent, "page:2"),
                f"{CLEAR}?{agents}",
                CLEAR,
                CLEAR_EXPIRED,
            ),
        ]
        few = [len(queries(client, address)) for address in addresses]
        fill(agent, 100_000)
        for address, count in zip(addresses, few, strict=True):
            assert len(queries(client, address)) == count, address
        assert "5,000 or more entries" in text_of(client.get(f"{CLEAR}?{agents}"))

    @pytest.mark.usefixtures("agent")
    def test_is_on_the_index_like_any_other(self, client):
        shown = text_of(client.get(reverse("admin:app_list", args=["core_tables"])))
        assert LIST in shown
        assert reverse("admin:core_tables_log_runs") in shown
        assert CLEAR_EXPIRED in shown


class TestEntry:
    @pytest.mark.usefixtures("store")
    def test_shows_the_value(self, client, agent):
        Cache.objects.of(agent, metadata={"django_cache": True}).set("k", {"a": [1]}, timeout=-5)
        shown = text_of(client.get(page(agent, "k")))
        for part in ("&quot;a&quot;: [", "(expired)", "django_cache", "Ada"):
            assert part in shown

    @pytest.mark.parametrize(
        "value", [None, 0, "", [], HOSTILE, {HOSTILE: HOSTILE}, ["__pickle__"], {"__pickle__": [HOSTILE]}]
    )
    def test_shows_values_of_any_form(self, client, agent, value):
        Cache.objects.of(agent, metadata={HOSTILE: 1}).set(HOSTILE, value)
        agent.name = HOSTILE
        agent.save()
        addresses = (page(agent, HOSTILE), page(agent, HOSTILE, "delete"), LIST, CLEAR, f"{CLEAR}?agent={agent.pk}")
        for address in addresses:
            response = client.get(address)
            assert response.status_code == 200
            assert "<script>alert" not in text_of(response)

    def test_never_opens_a_pickle(self, client, agent):
        value = pickled.dump(Bomb())
        Cache.objects.create(agent=agent, key="bomb", value=value)
        size = len(pickle.dumps(Bomb(), -1))
        for address in (LIST, page(agent, "bomb"), page(agent, "bomb", "delete")):
            assert client.get(address).status_code == 200
        for address in (LIST, page(agent, "bomb")):
            assert f"pickled, {size} bytes" in text_of(client.get(address))

    def test_shows_the_beginning_of_what_is_large(self, client, agent, store):
        store.set("large", [uuid.uuid4().hex for _ in range(60_000)])
        shown = text_of(client.get(page(agent, "large")))
        assert "Too large to be shown" in shown
        assert len(shown) < 100_000

    @pytest.mark.parametrize("address", ["x", "x_3Ay", NOBODY, f"{NOBODY}_3Ak", f"{NOBODY}_3Aa_00"])
    @pytest.mark.usefixtures("agent")
    def test_says_that_there_is_none(self, client, address):
        for view in ("change", "delete"):
            shown = client.get(reverse(f"admin:core_tables_cache_{view}", args=[address]), follow=True)
            assert "no such cache entry" in text_of(shown)

    def test_deletes(self, client, agent, store):
        store.set_many({"k/1": 1, "kept": 2})
        assert "k/1" in text_of(client.get(page(agent, "k/1", "delete")))
        assert store.get("k/1") == 1
        assert "was deleted" in text_of(client.post(page(agent, "k/1", "delete"), follow=True))
        assert list(Cache.objects.values_list("key", flat=True)) == ["kept"]
        logged = LogEntry.objects.get()
        assert (logged.action_flag, logged.object_repr, logged.object_id) == (3, "k/1", f"{agent.pk}:k/1")
        assert client.get(reverse("admin:index")).status_code == 200


class TestClearing:
    def test_an_agent(self, client, agent, store):
        store.set_many({"a": 1, "b": 2})
        other = Cache.objects.of(Agent.objects.create(name="Bob"))
        other.set("kept", 1)
        assert f"?agent={agent.pk}" in text_of(client.get(CLEAR))
        assert "2 entries of Ada" in text_of(client.get(f"{CLEAR}?agent={agent.pk}"))
        assert Cache.objects.count() == 3
        assert "2 live entries are gone" in text_of(client.post(f"{CLEAR}?agent={agent.pk}", follow=True))
        assert Cache.objects.get().key == "kept"
        assert LogEntry.objects.get().change_message == "Cleared: 2 live entries."

    def test_nobody_in_particular_clears_nothing(self, client, store):
        store.set("a", 1)
        for query in ("", "?agent=x", f"?agent={uuid.uuid4()}"):
            assert client.post(f"{CLEAR}{query}").status_code == 200
        assert Cache.objects.exists()

    def test_what_has_expired(self, client, store):
        store.set("kept", 1, timeout=600)
        store.set_many({"a": 1, "b": 2}, timeout=-1)
        assert client.get(CLEAR_EXPIRED).status_code == 200
        assert Cache.objects.count() == 3
        assert "2 expired entries deleted" in text_of(client.post(CLEAR_EXPIRED, follow=True))
        assert Cache.objects.get().key == "kept"
        assert LogEntry.objects.get().change_message == "Cleared: 2 entries."

    def test_as_much_as_somebody_waits_for(self, client, agent, monkeypatch):
        monkeypatch.setattr("core_tables.admin.cache.pages.BATCH", 10)
        fill(agent, 1_000)
        Cache.objects.update(expires_at=timezone.now() - datetime.timedelta(hours=1))
        shown = text_of(client.post(CLEAR_EXPIRED, follow=True))
        assert "200 expired entries deleted. More may be left" in shown
        assert Cache.objects.count() == 800


class TestPermissions:
    def test_nobody_without_rights_sees_anything(self, staff, browse, agent, store):
        store.set("secret-key", 1)
        client = browse(staff())
        addresses = (LIST, page(agent, "secret-key"), page(agent, "secret-key", "delete"), CLEAR, CLEAR_EXPIRED)
        for address in addresses:
            response = client.get(address)
            assert response.status_code == 403
            assert b"secret-key" not in response.content
        assert "cache" not in text_of(client.get(reverse("admin:index")))

    def test_those_who_only_see_delete_nothing(self, viewer, agent, store):
        store.set("a", 1, timeout=-1)
        shown = text_of(viewer.get(LIST)) + text_of(viewer.get(page(agent, "a")))
        for offer in ("clear-agent", "clear-expired", "delete-entry"):
            assert offer not in shown
        for address in (page(agent, "a", "delete"), f"{CLEAR}?agent={agent.pk}", CLEAR_EXPIRED):
            assert viewer.post(address).status_code == 403
        assert Cache.objects.exists()

    def test_those_who_delete_are_offered_it(self, staff, browse, agent, store):
        store.set("a", 1)
        client = browse(staff("core_tables.view_cache", "core_tables.delete_cache"))
        shown = text_of(client.get(f"{LIST}?agent={agent.pk}")) + text_of(client.get(page(agent, "a")))
        for offer in (f'href="{CLEAR}?agent={agent.pk}"', "clear-expired", "delete-entry"):
            assert offer in shown

    def test_those_who_only_delete_find_what_was_done_on_the_index(self, staff, browse, agent, store):
        client = browse(staff("core_tables.delete_cache"))
        store.set_many({"a": 1, "b": 2})
        for address in (page(agent, "a", "delete"), f"{CLEAR}?agent={agent.pk}", CLEAR_EXPIRED):
            shown = text_of(client.get(address))
            assert LIST + '"' not in shown
            response = client.post(address, follow=True)
            assert response.redirect_chain == [(reverse("admin:index"), 302)]
            assert "messagelist" in text_of(response)
        assert not Cache.objects.exists()

    def test_agents_are_named_to_those_who_may_see_them(self, staff, browse, agent, store):
        store.set("a", 1)
        client = browse(staff("core_tables.view_cache", "core_tables.delete_cache"))
        for address in (LIST, page(agent, "a"), page(agent, "a", "delete"), CLEAR, f"{CLEAR}?agent={agent.pk}"):
            shown = text_of(client.get(address))
            assert "Ada" not in shown
        assert f"entries of {agent.pk}?" in shown
        assert "Ada" not in text_of(client.post(f"{CLEAR}?agent={agent.pk}", follow=True))

    def test_writes_come_from_their_own_pages(self, superuser, agent, store):
        store.set("a", 1, timeout=-1)
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(superuser)
        for address in (page(agent, "a", "delete"), f"{CLEAR}?agent={agent.pk}", CLEAR_EXPIRED):
            assert strict.post(address).status_code == 403
        assert Cache.objects.exists()

    def test_visitors_are_asked_to_log_in(self, agent):
        for address in (LIST, page(agent, "a"), CLEAR):
            assert "login" in Client().get(address)["Location"]
