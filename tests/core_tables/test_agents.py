import asyncio
import uuid

import pytest

from core_tables.exceptions import InvalidContent
from core_tables.models import Agent
from core_tables.querysets.agents import merged
from tests.core_tables.asked import asking
from tests.core_tables.together import together


# The examples of RFC 7396, appendix A.
@pytest.mark.parametrize(
    ("value", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_settings_merge_as_json_merge_patch_says(value, patch, result):
    before = repr(value)
    assert merged(value, patch) == result
    assert repr(value) == before


@pytest.mark.usefixtures("store")
class TestPatch:
    def test_fields_and_settings_change_and_the_rest_stays(self):
        agent = Agent.objects.create(
            name="Ada", system="Be kind.", settings={"model": {"name": "m", "heat": 1}, "x": 1}
        )
        changed = Agent.objects.patch(agent.pk, settings={"model": {"heat": None, "top": 2}, "x": None}, username="ada")
        stored = Agent.objects.get()
        assert stored.settings == changed.settings == {"model": {"name": "m", "top": 2}}
        assert (stored.name, stored.username, stored.system) == ("Ada", "ada", "Be kind.")
        assert stored.updated_at > agent.updated_at
        assert agent.settings["x"] == 1

    def test_two_queries(self, agent):
        with asking(2) as queries:
            Agent.objects.patch(agent, settings={"a": 1})
        assert "FOR NO KEY UPDATE" in queries[0]

    def test_nothing_to_change_writes_nothing(self, agent):
        assert Agent.objects.patch(agent).updated_at == agent.updated_at

    def test_mistakes_are_named(self, agent):
        with pytest.raises(InvalidContent, match="pass a dict"):
            Agent.objects.patch(agent, settings=["a"])
        for fields in ({"settings": {"a": ["\ud800"]}}, {"settings": {"a\0": 1}}, {"settings": {"a": float("inf")}}):
            with pytest.raises(InvalidContent, match=r"field settings of the agent"):
                Agent.objects.patch(agent, **fields)
        with pytest.raises(InvalidContent, match=r"field system of the agent"):
            Agent.objects.patch(agent, system="a\0b")
        with pytest.raises(ValueError, match="colour"):
            Agent.objects.patch(agent, colour="green")
        with pytest.raises(Agent.DoesNotExist):
            Agent.objects.patch(uuid.uuid4(), name="x")
        with pytest.raises(Agent.DoesNotExist):
            Agent.objects.filter(enabled=False).patch(agent, name="x")


@pytest.mark.usefixtures("committed_store")
def test_patches_at_once_lose_nothing(agent):
    together(lambda n: Agent.objects.patch(agent, settings={"keys": {str(n): n}}), range(16))
    assert Agent.objects.get().settings == {"keys": {str(n): n for n in range(16)}}


@pytest.mark.usefixtures("committed_store")
def test_a_patch_can_be_awaited(agent):
    assert asyncio.run(Agent.objects.apatch(agent, name="Eve")).name == "Eve"
