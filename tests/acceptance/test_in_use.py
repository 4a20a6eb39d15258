"""What is lost of tables that hold rows comes back; their rows, their files and the session stay as they were."""

import random
import re

import pytest

from tests.acceptance.populated import (
    as_added,
    contents,
    files,
    fill,
    half_made,
    timeouts_of_a_strict_role,
)
from tests.arena import Arena
from tests.losses import possible, quoted
from tests.oracle import differences

REFUSALS = {f"agentsql.{number}" for number in ("D004", "D005", "D014", "D016", "D018")}
# A new column is NULL in each row, which NULLS NOT DISTINCT can't bear.
KEPT = ("DROP TABLE", 'ALTER TABLE IF EXISTS "plug_nulls" DROP COLUMN IF EXISTS "a"')
SEEDS = 3
# Builds and scans while the table is locked; what rewrites it shows by its file.
HARMFUL = re.compile(
    r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)|ADD (CONSTRAINT|UNIQUE|CHECK|PRIMARY)(?!.*(NOT VALID|USING INDEX))"
)
SPECIAL = {("plug_ruled", "a"): "g + 100"}  # its check wants a > b


def lose(arena, seed, share):
    """Drop a share of what Django made, tables and primary keys excepted."""
    losses = [statement for statement in possible(arena.fingerprint()) if not statement.startswith(KEPT)]
    arena.sql(*random.Random(seed).sample(sorted(losses), round(len(losses) * share)))


def without(plugin, findings):
    """Return what Django makes, less what was refused and what depends on that."""
    with Arena() as scratch:
        scratch.by_django([plugin])
        every = scratch.fingerprint()
        scratch.sql(*drops(every, {finding.obj for finding in findings}))
        return scratch.fingerprint()


def drops(every, refused):
    for table, facts in every.items():
        for part, names in (("COLUMN", facts["columns"]), ("CONSTRAINT", facts["constraints"])):
            for name in names:
                if {f"{table}.{name}", f"exclusion {table}({name})"} & refused:
                    yield f"ALTER TABLE {quoted(table)} DROP {part} IF EXISTS {quoted(name)} CASCADE"


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("wishes", [{}, {"allow_rewrite": True}, {"atomic": True}], ids=["online", "rewrite", "atomic"])
def test_losses_come_back(arena, plugin, wishes, seed):
    arena.by_django([plugin])
    fill(arena, special=SPECIAL)
    lose(arena, seed, share=(0.1, 0.3, 0.6)[seed % 3])
    left = arena.fingerprint()
    rows, places = contents(arena, left), files(arena)

    with timeouts_of_a_strict_role(arena):
        report = arena.automigrate(plugin, **wishes)
    again = arena.automigrate(plugin, **wishes)

    ids = {finding.id for finding in report.findings}
    assert [outcome.failure for outcome in report.outcomes if outcome.failure] == []
    assert ids <= REFUSALS - ({"agentsql.D016"} if "allow_rewrite" in wishes else set())
    assert report.status == ("blocked" if ids else "converged")
    assert contents(arena, left) == rows
    assert "allow_rewrite" in wishes or files(arena) == places
    assert half_made(arena) == []
    assert wishes or [sql for outcome in report.outcomes for sql in outcome.step.sql if HARMFUL.search(sql)] == []
    assert (again.outcomes, again.findings) == ((), report.findings)
    expected = left if "agentsql.D018" in ids else without(plugin, report.findings)
    arena.enter()
    found = arena.fingerprint()
    assert differences(as_added(expected, found, left), found) == []
    assert ("agentsql.D018" in ids) == (ids != set() and "atomic" in wishes)
