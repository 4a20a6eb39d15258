"""What all the lists share."""

import json

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError

from core_tables.admin import shown
from core_tables.admin.base import RecordAdmin
from core_tables.admin.json_field import JSONFormField
from core_tables.admin.paginator import FAR, BoundedPaginator
from core_tables.models import Agent, Memory
from tests.admin import many

DEEP = "[" * 100_000


class TestPaginator:
    def test_counts_so_far(self, agent, room, entity):
        many.memories(agent, room, entity, FAR + 1)
        paginator = BoundedPaginator(Memory.objects.order_by("pk"), 50)
        assert (paginator.count, paginator.is_cut) == (FAR, True)

    def test_counts_few_to_the_end(self, agent, room, entity):
        many.memories(agent, room, entity, 7)
        paginator = BoundedPaginator(Memory.objects.order_by("pk"), 50)
        assert (paginator.count, paginator.is_cut) == (7, False)

    def test_counts_lists(self):
        assert BoundedPaginator([1, 2], 50).count == 2


class TestLookups:
    @pytest.fixture
    def agents(self):
        return RecordAdmin(Agent, admin.site)

    @pytest.mark.parametrize("lookup", ["settings__secrets__KEY__startswith", "settings", "metadata__a", "name"])
    def test_that_no_filter_has_are_refused(self, agents, lookup):
        assert not agents.lookup_allowed(lookup, "s", None)

    def test_through_a_key_into_secrets_are_refused(self):
        assert not RecordAdmin(Memory, admin.site).lookup_allowed("agent__settings__KEY", "s", None)


class TestJson:
    @pytest.mark.parametrize("text", [DEEP, "[" + "9" * 9999 + "]", "{", "NaN,"])
    def test_that_cannot_be_read_is_an_error_of_the_field(self, text):
        field = JSONFormField()
        with pytest.raises(ValidationError):
            field.clean(text)
        assert field.has_changed({}, text)
        assert str(field.prepare_value(field.bound_data(text, None))) == text

    def test_is_laid_out_and_comes_back_the_same(self):
        value = {"a": [1, {"b": "é"}]}
        written = JSONFormField().prepare_value(value)
        assert written.count("\n") > 3
        assert JSONFormField().clean(written) == value

    def test_with_half_a_surrogate_pair_can_be_sent(self):
        assert json.loads(shown.laid_out(["\ud800"]).encode()) == ["\ud800"]

    def test_nested_deeply_is_shown_somehow(self):
        value = []
        for _ in range(100_000):
            value = [value]
        assert "Nested too deeply" in shown.as_json(value)
        while value:
            value = value[0]  # or Python takes them apart all at once

    def test_that_is_long_is_cut(self):
        assert "more characters" in shown.as_json("x" * (shown.LONGEST + 1))
