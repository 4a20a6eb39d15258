"""Which type holds all that another does: read off the texts of the types, in one closed list."""

from __future__ import annotations

import re
from typing import NamedTuple

TEXT, VARCHAR, VARBIT, NUMERIC = "text", "character varying", "bit varying", "numeric"
LOCAL, UTC = "timestamp without time zone", "timestamp with time zone"
SPELLINGS = {"varchar": VARCHAR, "varbit": VARBIT, "decimal": NUMERIC, "timestamp": LOCAL, "timestamptz": UTC}
PAIRS = {(VARCHAR, VARCHAR), (VARCHAR, TEXT), (VARBIT, VARBIT), (NUMERIC, NUMERIC), (LOCAL, UTC)}
FORM = re.compile(r"([a-z ]+?) ?(?:\( ?(\d+) ?(?:, ?(-?\d+) ?)?\))?")
# These the server rewrites the table for: nothing is lost, but --widen is not for them.
OUTGROWN = {("smallint", "integer"), ("smallint", "bigint"), ("integer", "bigint"), ("json", "jsonb")}


class Form(NamedTuple):
    """A type of the closed list: its family, its length or precision, and its scale; None where it has no limit."""

    family: str
    limit: int | None = None
    scale: int = 0

    def __str__(self) -> str:
        """Return it as SQL."""
        scale = f",{self.scale}" if self.family == NUMERIC else ""
        return self.family if self.limit is None else f"{self.family}({self.limit}{scale})"


def form(text: str) -> Form | None:
    """Read a type as a model or the server writes it; None if it is none of those that may widen, as a domain is."""
    match = FORM.fullmatch(text.strip().lower())
    if match is None:
        return None
    name, limit, scale = match.groups()
    family = SPELLINGS.get(name, name)
    if family not in {TEXT, VARCHAR, VARBIT, NUMERIC, LOCAL, UTC}:
        return None
    return Form(family, None if limit is None else int(limit), int(scale or 0))


def is_wider(found: str, wanted: str) -> bool:
    """Tell whether a type holds every value of another as it is stored, and more, or says more of them."""
    old, new = form(found), form(wanted)
    if old is None or new is None or (old.family, new.family) not in PAIRS:
        return False
    if new.limit is None:
        return old != new
    return old.limit is not None and new.limit > old.limit and new.scale == old.scale


def grows_into(found: str, wanted: str) -> bool:
    """Tell whether a type holds every value of another, rewritten or not."""
    return is_wider(found, wanted) or (found, wanted) in OUTGROWN
