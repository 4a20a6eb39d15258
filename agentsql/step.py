"""What a plan is made of: a step makes one object, an action is a part of it that runs and commits as one.

An object on a new or empty table is one plain action, shared with its neighbours. On a table in use the same object
takes several, each holding its lock for an instant or holding a lock that nobody notices.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agentsql.schema import Key


class Mode(StrEnum):
    """How an action runs."""

    SHARED = "shared"  # in one transaction with its neighbours
    OWN = "own"  # in a transaction of its own
    INSTANT = "instant"  # the same, and nothing to do but to have its locks
    OUTSIDE = "outside"  # outside any transaction: CONCURRENTLY, and a block that commits as it goes


# By strength: what they let others do on the table meanwhile.
NO_LOCK = ""
VALIDATING = "SHARE UPDATE EXCLUSIVE"  # reads and writes
BUILDING = "SHARE"  # reads
REFERRING = "SHARE ROW EXCLUSIVE"  # reads
ALTERING = "ACCESS EXCLUSIVE"  # nothing
STRENGTH = (NO_LOCK, "ROW EXCLUSIVE", VALIDATING, BUILDING, REFERRING, ALTERING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Statements that run as one.

    sql: without semicolons, exactly as sent.
    lock: the strongest lock on a table that others may use; "" when nobody can be waiting.
    undo: statements that take back what earlier actions of the step left, should this one fail.
    builds: the quoted name of the index it builds CONCURRENTLY; a failure leaves that invalid.
    """

    sql: tuple[str, ...]
    mode: Mode = Mode.SHARED
    lock: str = NO_LOCK
    undo: tuple[str, ...] = ()
    builds: str = ""

    @property
    def patient(self) -> bool:
        """Tell whether it may wait for long, because no reader and no writer queues behind it."""
        return self.lock == VALIDATING


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to make, or to widen.

    creates: the objects it brings; a table brings its columns and inline constraints. () where it widens a column.
    requires: missing objects that must be there first.
    offenders: a query for the rows that would stop it; "" where none can.
    """

    key: Key
    app: str
    model: str
    name: str
    creates: tuple[Key, ...]
    actions: tuple[Action, ...]
    requires: frozenset[Key] = frozenset()
    offenders: str = ""

    @property
    def sql(self) -> tuple[str, ...]:
        """All statements, as they will run."""
        return tuple(sql for action in self.actions for sql in action.sql)

    @property
    def widens(self) -> bool:
        """Tell whether it changes what is there instead of making something."""
        return not self.creates

    @property
    def lock(self) -> str:
        """The strongest lock that it takes on a table in use."""
        return max((action.lock for action in self.actions), key=STRENGTH.index)

    @property
    def shared(self) -> bool:
        """Tell whether it can be part of a transaction with others."""
        return all(action.mode is Mode.SHARED for action in self.actions)
