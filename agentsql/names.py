"""Names as PostgreSQL keeps them: quoted, cut at 63 bytes, or picked by the server. Standard library only."""

from __future__ import annotations

from hashlib import md5
from typing import NamedTuple

FILL_PREFIX = "agentsql_fill_"  # of the checks that mark columns as unfinished
MAX_NAME_BYTES = 63  # NAMEDATALEN - 1; PostgreSQL cuts longer identifiers


def quoted(name: str) -> str:
    """Return an identifier as SQL."""
    return '"' + name.replace('"', '""') + '"'


class TableName(NamedTuple):
    """A table's place; an empty namespace means "wherever search_path finds it"."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}.{self.name}" if self.namespace else self.name

    @property
    def quoted(self) -> str:
        """Return the name as SQL."""
        return ".".join(quoted(part) for part in self if part)


NOWHERE = TableName("", "")


def clip(name: str) -> str:
    """Return the name as the server keeps it: at most 63 bytes of UTF-8, cut at a character."""
    raw = name.encode()
    return name if len(raw) <= MAX_NAME_BYTES else raw[:MAX_NAME_BYTES].decode(errors="ignore")


def chosen_name(table: str, column: str, label: str) -> str:
    """Return the name PostgreSQL picks for an unnamed constraint: `logs_body_check`, within 63 bytes.

    Source: makeObjectName() in src/backend/commands/indexcmds.c; the longer of table and column is cut first.
    """
    first, second = len(table.encode()), len(column.encode())
    room = MAX_NAME_BYTES - len(label.encode()) - 1 - (1 if column else 0)
    while first + second > room:
        if first > second:
            first -= 1
        else:
            second -= 1
    parts = (
        table.encode()[:first].decode(errors="ignore"),
        column.encode()[:second].decode(errors="ignore"),
        label,
    )
    return "_".join(part for part in parts if part)


def fill_name(column: str) -> str:
    """Return the name of the check that marks a column as unfinished: its older rows have no value yet."""
    name = FILL_PREFIX + column
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    return FILL_PREFIX + md5(column.encode(), usedforsecurity=False).hexdigest()
