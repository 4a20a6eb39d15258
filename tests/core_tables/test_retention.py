from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from core_tables import retention
from core_tables.models import Agent, Cache, Entity, Log, Memory


def prune(*arguments, **options):
    out = StringIO()
    call_command("prune_agent_data", *arguments, stdout=out, stderr=StringIO(), **options)
    return out.getvalue().splitlines()


@pytest.fixture
def past():
    return timezone.now() - timedelta(days=100)


@pytest.fixture
def leftovers(committed_store, agent, room, entity, past):
    """Two agents with three of each kind that may go, and one that stays."""
    other = Agent.objects.create(name="Alan")
    known = {agent: entity, other: Entity.objects.create(agent=other, names=["Alan"])}
    for owner, knows in known.items():
        for number, gone in enumerate([past, past, past, None]):
            Memory.objects.add("tea", agent=owner, type="facts", expires_at=gone)
            Cache.objects.create(agent=owner, key=str(number), value=1, expires_at=gone)
            # Others write no agent.
            Log.objects.create(
                agent=owner if number % 2 else None,
                entity=knows,
                room=room,
                type="run",
                body={},
                created_at=gone or timezone.now(),
            )
    return other


def counts():
    return Memory.objects.count(), Cache.objects.count(), Log.objects.count()


def test_only_what_has_expired_goes(leftovers):
    assert prune() == ["6 memories deleted.", "6 cache entries deleted."]
    assert counts() == (2, 2, 8)
    assert prune() == ["0 memories deleted.", "0 cache entries deleted."]


def test_logs_go_by_age(leftovers):
    assert prune(logs_older_than=timedelta(days=90))[2] == "6 logs deleted."
    assert counts() == (2, 2, 2)
    assert prune("--logs-older-than", "20w")[2] == "0 logs deleted."


def test_what_is_one_agents(leftovers, agent):
    assert prune("--agent", "Alan", "--logs-older-than", "90d", "--batch", "2") == [
        "3 memories deleted.",
        "3 cache entries deleted.",
        "3 logs deleted.",
    ]
    assert {row.agent for row in Memory.objects.expired()} == {agent}
    assert prune("--agent", str(agent.pk))[0] == "3 memories deleted."


def test_a_dry_run_counts(leftovers, monkeypatch):
    assert prune("--dry-run", "--logs-older-than", "1d") == [
        "6 memories would be deleted.",
        "6 cache entries would be deleted.",
        "6 logs would be deleted.",
    ]
    monkeypatch.setattr(retention, "COUNTED", 4)
    monkeypatch.setattr("core_tables.management.commands.prune_agent_data.COUNTED", 4)
    assert prune("--dry-run")[0] == "4 or more memories would be deleted."
    assert counts() == (8, 8, 8)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--logs-older-than", "soon"], "such as 90d"),
        (["--logs-older-than", "9999999999w"], "longer than time goes"),
        (["--batch", "0"], "number from 1 on"),
        (["--agent", "Nobody"], "No agent has the id or the name 'Nobody'"),
        (["--agent", "7d5bb4c7-64e9-4f0e-a7d2-7c0f7a3e8f11"], "No agent has the id"),
        (["--agent", "Ada"], "Several agents are called 'Ada'"),
    ],
)
def test_what_is_told_wrong(store, agent, arguments, words):
    Agent.objects.create(name="Ada")
    with pytest.raises(CommandError, match=words):
        prune(*arguments)


def test_no_words_at_verbosity_0(leftovers):
    assert prune(verbosity=0) == []
