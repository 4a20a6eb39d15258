"""Takes additive things away: what automigrate must bring back."""

import random
from collections.abc import Iterator
from typing import Any

from tests.oracle import Fingerprint

BACKED = {"p", "u", "x"}  # constraints that have an index of their own


def possible(tables: Fingerprint) -> Iterator[str]:
    """Yield a statement for each thing that can be lost: all but primary keys and their columns."""
    for table, facts in tables.items():
        constraints = facts["constraints"]
        kept = {column for item in constraints.values() if item["kind"] == "p" for column in item["columns"]}
        place = quoted(table)
        yield f"DROP TABLE IF EXISTS {place} CASCADE"
        for column in facts["columns"].keys() - kept:
            yield f"ALTER TABLE IF EXISTS {place} DROP COLUMN IF EXISTS {quoted(column)} CASCADE"
        for name, item in constraints.items():
            if item["kind"] != "p":
                yield f"ALTER TABLE IF EXISTS {place} DROP CONSTRAINT IF EXISTS {quoted(name)} CASCADE"
        for name in facts["indexes"].keys() - {name for name, item in constraints.items() if item["kind"] in BACKED}:
            yield f"DROP INDEX IF EXISTS {quoted(name)} CASCADE"


def lose(cursor: Any, tables: Fingerprint, *, seed: int, share: float = 0.1) -> list[str]:
    """Drop a random share of what there is, and return the statements."""
    statements = sorted(possible(tables))
    chosen = random.Random(seed).sample(statements, round(len(statements) * share))
    for statement in chosen:
        cursor.execute(statement)
    return chosen


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
