"""What a step's actions add up to."""

import pytest
from django.db import OperationalError, transaction

from agentsql.step import ALTERING, BUILDING, NO_LOCK, REFERRING, STRENGTH, VALIDATING, Action, Mode
from tests.support import action, step, transaction_of_another


def test_an_action_shares_its_transaction_unless_told_otherwise():
    plain = Action(sql=("SELECT 1",))
    assert (plain.mode, plain.lock, plain.undo, plain.builds, plain.patient) == (Mode.SHARED, NO_LOCK, (), "", False)


@pytest.mark.parametrize("lock", STRENGTH)
def test_only_what_no_reader_or_writer_queues_behind_is_patient(lock):
    assert action(lock=lock).patient is (lock == VALIDATING)


def test_all_statements_in_order():
    assert step(actions=[action("a", "b"), action("c")]).sql == ("a", "b", "c")


@pytest.mark.parametrize(
    ("locks", "strongest"),
    [
        ([NO_LOCK], NO_LOCK),
        ([ALTERING, VALIDATING], ALTERING),
        ([VALIDATING, ALTERING], ALTERING),
        ([REFERRING, VALIDATING], REFERRING),
        (["ROW EXCLUSIVE", VALIDATING], VALIDATING),
        ([BUILDING, NO_LOCK, VALIDATING], BUILDING),
    ],
)
def test_the_strongest_lock(locks, strongest):
    assert step(actions=[action(lock=lock) for lock in locks]).lock == strongest


@pytest.mark.parametrize(
    ("modes", "shared"),
    [
        ([Mode.SHARED], True),
        ([Mode.SHARED, Mode.SHARED], True),
        ([Mode.OWN], False),
        ([Mode.INSTANT], False),
        ([Mode.OUTSIDE], False),
        ([Mode.SHARED, Mode.OWN], False),
    ],
)
def test_what_can_be_part_of_a_transaction_with_others(modes, shared):
    assert step(actions=[action(mode=mode) for mode in modes]).shared is shared


def test_words_that_other_programs_read():
    assert [str(mode) for mode in Mode] == ["shared", "own", "instant", "outside"]


def refused_beside(arena, lock):
    """Return the table locks that another session can't have beside this one."""
    found = set()
    with transaction_of_another(arena, f"LOCK TABLE t IN {lock} MODE"):
        for asked in STRENGTH[1:]:
            try:
                with transaction.atomic():
                    arena.sql(f"LOCK TABLE t IN {asked} MODE NOWAIT")
            except OperationalError:
                found.add(asked)
    return found


def test_each_lock_keeps_out_all_that_a_weaker_one_does(arena):
    """The order of strength is the server's own."""
    arena.sql("CREATE TABLE t ()")
    refused = [refused_beside(arena, lock) for lock in STRENGTH[1:]]
    assert refused[0] == {BUILDING, REFERRING, ALTERING}
    assert refused[-1] == set(STRENGTH[1:])
    assert [len(item) for item in refused] == sorted(len(item) for item in refused)
