"""Sites that have registered one of the tables only."""

import pytest
from django.contrib import admin
from django.test import override_settings
from django.urls import path

from core_tables.models import Agent, Entity, Log, Memory, Message, Room, Task, World
from tests.admin.test_odd_rows import failures, rows  # noqa: F401 - a fixture

ALONE = (World, Room, Entity, Message, Agent, Memory, Log, Task)
sites = {model: admin.AdminSite(name=f"only_{model._meta.model_name}") for model in ALONE}
for model, site in sites.items():
    site.register(model, type(admin.site._registry[model]))
urlpatterns = [path(f"{site.name}/", site.urls) for site in sites.values()]
OWN = {Agent: ["dashboard"], Room: ["transcript"]}


@pytest.mark.parametrize("model", ALONE)
def test_pages(client, rows, model):  # noqa: F811
    row = next(row for row in rows if type(row) is model)
    base = f"/{sites[model].name}/core_tables/{model._meta.model_name}/"
    own = [f"{base}{row.pk}/{page}/" for page in ("change", "delete", "history", *OWN.get(model, ()))]
    with override_settings(ROOT_URLCONF=__name__):
        assert failures(client, [f"/{sites[model].name}/", base, *own]) == {}
