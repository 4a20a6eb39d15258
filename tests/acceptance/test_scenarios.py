import re

import pytest

from agentsql.report import Result
from tests.acceptance.scenarios import SCENARIOS
from tests.arena import Registry, oracle
from tests.oracle import differences

HASH = re.compile("_[0-9a-f]{8}")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario(arena, scenario):
    registry = Registry()
    scenario.models(registry)
    plugin = registry.plugin(arena.connection)
    if scenario.before:
        arena.sql(scenario.before)

    planned = arena.automigrate(plugin, plan_only=True)
    report = arena.automigrate(plugin)
    again = arena.automigrate(plugin)

    made = [f"{step.key.kind.label} {HASH.sub('', step.name)}" for step in (item.step for item in report.outcomes)]
    assert made == list(scenario.steps)
    assert [finding.id for finding in report.findings] == list(scenario.findings)
    assert {outcome.result for outcome in report.outcomes} <= {Result.DONE}
    assert [outcome.step.sql for outcome in planned.outcomes] == [outcome.step.sql for outcome in report.outcomes]
    assert again.outcomes == ()
    blocked = any(finding.is_serious() for finding in report.findings)
    assert (again.remaining == 0) is not blocked or again.status == "blocked"
    if not scenario.differs:
        arena_now = arena.fingerprint()
        assert differences(oracle(plugin), arena_now) == []
