"""What the addresses of lists may ask for."""

import pytest
from django.contrib import admin
from django.urls import reverse

from core_tables.admin.lookups import of_keys
from core_tables.models import Agent
from tests.admin.visits import text_of

LISTS = ("agent", "world", "room", "entity", "component", "relationship", "memory", "message", "task", "log", "cache")
REFUSED = [
    *("agent/?memories__isnull=0", "agent/?memories=6f1c", "agent/?name__regex=[", "agent/?name=%00", "agent/?pk=x"),
    *("agent/?settings__KEY__startswith=s", "agent/?created_at__year=0", "agent/?created_at__year=99999"),
    *("entity/?names=x", "entity/?names__contains=x", "task/?tags=x", "task/?every=x", "cache/?key__regex=["),
    *("memory/?room__name=x", "memory/?agent__settings__a=1", "memory/?content__a=1", "memory/?created_at__year=0"),
    *("room/?world=x", "log/?agent__name=x", "memory/export.csv?content__a=1"),
]


def listed(kind):
    return reverse(f"admin:core_tables_{kind}_changelist")


@pytest.mark.parametrize("address", REFUSED)
def test_what_no_filter_asks_for_is_refused(client, address):
    assert client.get(f"{reverse('admin:app_list', args=['core_tables'])}{address}").status_code == 400


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.usefixtures("memory")
def test_every_link_of_a_list_works(client, kind):
    changelist = client.get(listed(kind)).context["cl"]
    for spec in changelist.filter_specs:
        for choice in spec.choices(changelist):
            response = client.get(f"{listed(kind)}{choice['query_string']}")
            assert response.status_code == 200, choice


@pytest.mark.parametrize("kind", LISTS)
def test_filters_are_read_by_everybody_who_may_see_the_list(staff, browse, kind):
    query = {"message": "room=x", "agent": "enabled__exact=1"}.get(kind, "agent=x")
    response = browse(staff(f"core_tables.view_{kind}")).get(f"{listed(kind)}?{query}")
    assert response.status_code == (200 if kind == "agent" else 302)


@pytest.mark.parametrize("kind", ["agent", "room", "entity"])
@pytest.mark.usefixtures("memory")
def test_rows_are_chosen_from_lists(client, kind):
    assert "data-popup-opener" in text_of(client.get(f"{listed(kind)}?_to_field=id&_popup=1"))


@pytest.mark.parametrize("query", ["created_at__gte=x", "created_at__lt=99999-01-01", "created_at__gte=%00", "e=1"])
def test_values_that_no_filter_has_show_the_list_without_it(client, query):
    assert client.get(f"{listed('memory')}?{query}", follow=True).status_code == 200


def test_limits_of_keys_open_their_list(monkeypatch):
    monkeypatch.setattr(Agent._meta, "related_fkey_lookups", [{"enabled": True}, lambda: {"name__startswith": "A"}])
    assert set(of_keys(Agent)) == {("enabled", "1"), ("name__startswith", "A")}
    agents = admin.site.get_model_admin(Agent)
    assert agents.lookup_allowed("name__startswith", "A", None)
    assert not agents.lookup_allowed("name__startswith", "B", None)


def test_lists_by_date_are_turned_by_year_month_and_day():
    agents = type("Dated", (type(admin.site.get_model_admin(Agent)),), {"date_hierarchy": "created_at"})
    assert agents(Agent, admin.site).lookup_allowed("created_at__year", "2025", None)
    assert not agents(Agent, admin.site).lookup_allowed("created_at__week_day", "1", None)
