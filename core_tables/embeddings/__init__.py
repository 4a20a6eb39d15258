"""Vectors: which columns take them, and where they come from.

from core_tables.embeddings import aembed, embed
"""

from core_tables.embeddings.embedder import aembed, embed

__all__ = ["aembed", "embed"]
