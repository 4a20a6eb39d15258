"""What the core tables refuse: one base class; the messages name the object and the remedy."""


class MemoryStoreError(Exception):
    """The base of all that this app raises itself."""


class UnknownWidth(MemoryStoreError, ValueError):
    """No column takes a vector as wide as this one."""


class InvalidVector(MemoryStoreError, ValueError):
    """A vector holds something that has no cosine: NaN, infinity or zeros only."""


class InvalidContent(MemoryStoreError, ValueError):
    """Content or metadata are not what a row may hold: no JSON object, or too large."""


class EmbedderFailed(MemoryStoreError):
    """The callable named by AGENTSQL["EMBEDDER"] raised, or returned something other than a vector for each text."""


class LeaseLost(MemoryStoreError):
    """Another worker has the task by now, or somebody cancelled it: this result no longer counts."""
