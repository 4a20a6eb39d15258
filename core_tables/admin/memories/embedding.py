"""The project's embedder as the admin asks it: what goes wrong there becomes a sentence for people."""

import logging

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pgvector import Vector

from core_tables.embeddings.embedder import embed
from core_tables.exceptions import EmbedderFailed, MemoryStoreError

FAILURES = (MemoryStoreError, ImproperlyConfigured)
logger = logging.getLogger(__name__)


def is_configured() -> bool:
    """Return whether the project names an embedder."""
    return bool(getattr(settings, "AGENTSQL", {}).get("EMBEDDER"))


def embedded(question: str) -> Vector:
    """Return the vector of what somebody searches for.

    Raises:
        one of FAILURES: `told()` says it in words.
    """
    return embed([question], query=True)[0]


def told(error: Exception) -> str:
    """Return what went wrong, for a page. What a service says of itself goes to the log: it may hold its key."""
    cause = error.__cause__
    if not isinstance(error, EmbedderFailed) or cause is None or type(cause).__module__.startswith("core_tables."):
        return str(error)
    logger.warning("The embedder failed.", exc_info=error)
    return f"The embedder raised {type(cause).__name__}: the log of the server has the rest."
