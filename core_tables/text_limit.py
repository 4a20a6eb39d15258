"""How many words a text may have: the index over them takes a megabyte of what `to_tsvector` makes of a text.

How much that is depends on the words. Ordinary prose may have several megabytes, a list of numbers 500 kB. PostgreSQL
alone knows, and its error names neither the row nor the remedy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import OperationalError, connections, transaction

from core_tables.exceptions import InvalidContent

if TYPE_CHECKING:
    from core_tables.models import Memory

TOO_LARGE = "54000"  # program_limit_exceeded
SHORT = 2**15  # characters; no text up to here has too many words


def is_long(memory: "Memory") -> bool:
    """Return whether PostgreSQL might refuse the text."""
    return len(str(memory.content.get("text", ""))) > SHORT


def is_too_large(error: OperationalError) -> bool:
    """Return whether PostgreSQL refused something for its size."""
    return getattr(error.__cause__, "sqlstate", None) == TOO_LARGE


@contextmanager
def clear_errors(which: str = "") -> Iterator[None]:
    """Raise InvalidContent, beginning with `which`, where PostgreSQL finds too many words in a text."""
    try:
        yield
    except OperationalError as error:
        if not is_too_large(error):
            raise
        raise InvalidContent(
            f"{which}The text has more different words than its index takes ({str(error).strip()}): "
            "split it into a document and fragments."
        ) from error


def check(text: str, which: str, using: str) -> None:
    """Ask PostgreSQL whether a text has too many words.

    Raises:
        InvalidContent: it has; the message begins with `which`.
    """
    with clear_errors(which), transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SELECT to_tsvector('simple', %s)", [text])
