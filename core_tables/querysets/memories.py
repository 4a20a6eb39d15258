"""Memories: everything that `Memory.objects` does."""

from core_tables.querysets.memory_search import MemorySearch


class MemoryQuerySet(MemorySearch):
    """What an agent remembers: listing it, writing it, finding it."""
