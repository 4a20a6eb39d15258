"""What the core tables refuse: one base class; the messages name the object and the remedy."""

import datetime


class MemoryStoreError(Exception):
    """The base of all that this app raises itself."""


class UnknownWidth(MemoryStoreError, ValueError):
    """No column takes a vector as wide as this one."""


class InvalidVector(MemoryStoreError, ValueError):
    """A vector holds something that has no cosine: NaN, infinity or zeros only."""


class InvalidContent(MemoryStoreError, ValueError):
    """Content or metadata are not what a row may hold: no JSON object, or too large."""


class InvalidValue(MemoryStoreError, ValueError):
    """A value that the cache can't keep, because it is not JSON."""


class InvalidKey(MemoryStoreError, ValueError):
    """A key that the cache can't keep anything under: too long, or with characters that PostgreSQL has not."""


class NotANumber(MemoryStoreError, TypeError):
    """Something is to be added to a value that is no number."""


class UnknownRow(MemoryStoreError, LookupError):
    """A new row points to one that is not there: a room, say, or an entity."""


class UnknownAgent(UnknownRow):
    """No agent has this id or name, or several have the name."""


class EmbedderFailed(MemoryStoreError):
    """The callable named by AGENTSQL["EMBEDDER"] raised, or returned something other than a vector for each text."""


class WrongStatus(MemoryStoreError):
    """A task's status does not allow what was asked of it."""


class GiveUp(MemoryStoreError):
    """Raised by the code of a task: it has failed, and to try it again would not help."""


class TryLater(MemoryStoreError):
    """Raised by the code of a task: try again after this time, a timedelta, as a rate limit asks for.

    It counts as an attempt. Where no attempt is left, the task has failed. A century is the longest wait; what is not
    above 0 counts as if no time were asked for.
    """

    def __init__(self, after: datetime.timedelta, reason: str = "") -> None:
        if not isinstance(after, datetime.timedelta):
            raise TypeError(f"TryLater takes a timedelta, not {type(after).__name__}: TryLater(timedelta(minutes=1)).")
        super().__init__(reason or f"To be tried again after {after}.")
        self.after = after


class LeaseLost(MemoryStoreError):
    """Another worker has the task by now, or somebody cancelled it: this result no longer counts."""


class WrongAgent(MemoryStoreError, ValueError):
    """The id is that of a row of another agent."""
