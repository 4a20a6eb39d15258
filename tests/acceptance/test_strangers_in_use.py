"""What somebody else left half made on a table that holds rows: finished if it is what a model wants, never dropped."""

import uuid

import pytest
from django.db import IntegrityError, models
from django.db.models import Q, UniqueConstraint

from tests.acceptance.populated import contents, declaring, fill, half_made, thing
from tests.oracle import differences

TWINS = "UPDATE plug_thing SET n = 1 WHERE id = 2"
CHECKED = models.CheckConstraint(condition=Q(n__gt=0), name="x")
POINTING = models.ForeignKey("plug.Thing", models.CASCADE, null=True, db_column="maybe", db_index=False)
# what is wanted; rows that break it; what a stranger made of it; its name; its complaint
BROKEN = {
    "check": (
        declaring(CHECKED),
        "UPDATE plug_thing SET n = -n WHERE id < 4",
        "ALTER TABLE plug_thing ADD CONSTRAINT x CHECK (n > 0) NOT VALID",
        "x",
        '3 rows break it, for example {"id": 1}; {"id": 2}; {"id": 3}',
    ),
    "check of a field": (
        thing(n=models.PositiveIntegerField()),
        "UPDATE plug_thing SET n = -n WHERE id < 4",
        "ALTER TABLE plug_thing ADD CONSTRAINT theirs CHECK (n >= 0) NOT VALID",
        "theirs",
        '3 rows break it, for example {"id": 1}; {"id": 2}; {"id": 3}',
    ),
    "foreign key": (
        thing(maybe=None, to=POINTING),
        "UPDATE plug_thing SET maybe = 99 WHERE id < 3",
        "ALTER TABLE plug_thing ADD CONSTRAINT theirs FOREIGN KEY (maybe) REFERENCES plug_thing NOT VALID",
        "theirs",
        '2 rows point to nothing, for example {"id": 1, "maybe": 99}; {"id": 2, "maybe": 99}',
    ),
}
FAILS = "CREATE UNIQUE INDEX CONCURRENTLY {} ON plug_thing (n)"
# what is wanted; how a stranger's build of an index fails; ids of findings
INVALID = {
    "index under another name": (UniqueConstraint(fields=["n"], name="x"), FAILS.format("theirs"), []),
    "index under our name on other columns": (
        UniqueConstraint(fields=["name"], name="x"),
        FAILS.format("x"),
        ["agentsql.D009"],
    ),
    "index nobody wants": (models.Index(fields=["n"], name="x"), FAILS.format("theirs"), []),
}
OTHERS = (
    "ALTER TABLE plug_thing ADD CONSTRAINT theirs CHECK (n <> 1) NOT VALID",
    "ALTER TABLE plug_thing ADD CONSTRAINT agents_too CHECK (n > -9) NOT VALID",
    "ALTER TABLE plug_thing ADD COLUMN extra integer, ADD CONSTRAINT extra_too UNIQUE (extra)",
    "CREATE INDEX extra_index ON plug_thing (extra)",
    "CREATE TABLE theirs_alone (id integer)",
)


@pytest.fixture
def rows(arena):
    arena.by_django([thing()])
    fill(arena)


@pytest.mark.parametrize("case", BROKEN)
def test_a_constraint_that_rows_break_stays_and_is_told(arena, rows, case):
    plugin, spoil, theirs, name, words = BROKEN[case]
    arena.sql(spoil, theirs)
    left = arena.fingerprint()
    before = contents(arena, left)

    report = arena.automigrate(plugin)

    (outcome,) = report.outcomes
    (told,) = [finding for finding in report.findings if finding.id == "agentsql.D015"]
    assert (outcome.result, report.status, half_made(arena)) == ("failed", "failed", [name])
    assert words in told.msg
    assert (differences(left, arena.fingerprint()), contents(arena, left)) == ([], before)


@pytest.mark.parametrize("case", INVALID)
@pytest.mark.parametrize("atomic", [False, True])
def test_an_invalid_index_of_theirs_stays(arena, rows, case, atomic):
    item, build, ids = INVALID[case]
    arena.sql(TWINS)
    with pytest.raises(IntegrityError):
        arena.sql(build)
    arena.sql("UPDATE plug_thing SET n = id")
    left = arena.fingerprint()

    report = arena.automigrate(declaring(item), atomic=atomic)

    assert [finding.id for finding in report.findings if finding.id != "agentsql.D018"] == ids
    assert [line for line in differences(left, arena.fingerprint()) if line.startswith("-")] == []
    assert [outcome.result for outcome in report.outcomes] == ([] if ids else ["done"])


def test_nothing_that_no_model_wants_is_touched(arena, rows):
    arena.sql(*OTHERS)
    left = arena.fingerprint()
    before = contents(arena, left)

    report = arena.automigrate(declaring(CHECKED, models.Index(fields=["n"], name="i"), x=models.TextField(default="")))

    assert {outcome.result for outcome in report.outcomes} == {"done"}
    assert [line for line in differences(left, arena.fingerprint()) if line.startswith("-")] == []
    assert contents(arena, left) == before
    assert sorted(half_made(arena)) == ["agents_too", "theirs"]


def test_a_fill_that_a_check_of_theirs_stops_goes_on_once_that_is_mended(arena, rows):
    arena.sql("ALTER TABLE plug_thing ADD CONSTRAINT theirs CHECK (n <> 7) NOT VALID")
    left = arena.fingerprint()
    before = contents(arena, left)
    plugin = thing(x=models.UUIDField(default=uuid.uuid4, unique=True))

    report = arena.automigrate(plugin)

    assert [outcome.result for outcome in report.outcomes] == ["failed", "skipped"]
    assert '"theirs"' in report.outcomes[0].failure.message
    assert contents(arena, left) == before
    arena.sql(
        "ALTER TABLE plug_thing DROP CONSTRAINT theirs", "INSERT INTO plug_thing (n, name, flag) VALUES (7, '', true)"
    )
    assert arena.automigrate(plugin).status == "converged"
    assert arena.rows("SELECT count(DISTINCT x) FROM plug_thing") == [(41,)]
    assert half_made(arena) == []
