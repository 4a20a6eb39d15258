"""What another type of a column means: how bad it is, and what to write to change it by hand. Pure."""

from __future__ import annotations

from typing import NamedTuple

from django.core.checks import Error, Warning  # noqa: A004 Django's names for them

from agentsql.casts import ROUNDED, TEXTS, are_known, assigns, changes, has_fewer_digits, kind, suffix
from agentsql.comparison import Difference
from agentsql.details import ColumnDetail
from agentsql.names import quoted
from agentsql.schema import Column
from agentsql.wider import is_wider

# Defaults that are a moment with its zone; of a timestamp without one, the cast is not printed, and goes with the type.
NOW = ("now()", "CURRENT_TIMESTAMP", "transaction_timestamp()", "statement_timestamp()", "clock_timestamp()")
ZONELESS = "Reads give times without a zone, which Python can't compare with others."
DATETIMES = "Reads give datetimes, which Python compares with no date."
WHOLE = "Reads give whole numbers, and writes are rounded to them."
EFFECTS = {  # by the kinds that the model wants and that is there, as the ORM reads and writes them
    ("timestamptz", "timestamp"): ZONELESS,
    ("timestamptz", "date"): "Reads give dates, and every write loses its time of day.",
    ("timestamptz", "time"): "Reads give times, every write loses its date, and comparing fails.",
    ("timestamptz", "timetz"): "Reads give times, every write loses its date, and comparing fails.",
    ("date", "timestamp"): DATETIMES,
    ("date", "timestamptz"): DATETIMES,
    ("time", "timetz"): "Reads give times with a zone, which Python can't compare with others.",
    ("time", "interval"): "Reads give timedeltas, which Python compares with no time.",
    ("interval", "time"): "Reads give times, and every write loses its days.",
    ("float", "numeric"): "Reads give Decimals, which Python adds to no float.",
    ("numeric", "float"): "Reads give floats, and writes lose digits.",
    ("numeric", "integer"): WHOLE,
    ("float", "integer"): WHOLE,
    ("integer", "numeric"): "Reads give Decimals.",
    ("integer", "float"): "Reads give floats, and writes lose digits.",
    ("text", "char"): "Reads give values padded with blanks.",
}
BREAKING = {
    ("jsonb", "json"): "Reading it by the ORM fails.",
    ("jsonb", "text"): "Queries that compare it fail.",
}
FITTING = "Code goes on as long as the values fit."
ROUNDING = "Code goes on, but writes are rounded to its digits without a word."
UNSURE = "Code that compares or writes it may fail."
NOTES = {("json", "jsonb"): "Keys lose their order, and of two alike the last stays."}


class Conversion(NamedTuple):
    """What another type means: the level, what code notices, and what follows a value to make a new one of it.

    `suffix` is "" where PostgreSQL casts by itself, a default as well, and None where nobody knows how. `changed` is
    the condition of rows that would be changed without a word, "" where what does not fit is refused. `note` is what to
    know before.
    """

    level: type[Error | Warning]
    effect: str
    suffix: str | None = ""
    more: str = ""
    changed: str = ""
    note: str = ""


def conversion(wanted: Column, found: str) -> Conversion:
    ours, theirs = kind(wanted.type), kind(found)
    level, effect = _effect(ours, theirs, wanted.type, found)
    after = suffix(ours, theirs, wanted.type)
    more, notes = "", [NOTES[theirs, ours]] if (theirs, ours) in NOTES else []
    if is_wider(found, wanted.type):
        zoned = (theirs, ours) == ("timestamp", "timestamptz")
        more = ", but with --widen" + (" --zone UTC, where that is the zone it was written in" if zoned else "")
    else:
        notes.append("The table may be rewritten, with nobody reading or writing.")
    if "ZONE" in (after or ""):
        notes.append("UTC stands for the zone that was meant when it was written.")
    if after is None:
        notes.append("PostgreSQL has no cast for it: the dots are for what makes the new value.")
    changed = ""
    if after is not None and changes(ours, theirs, wanted.type, found):
        changed = _changed(quoted(wanted.name), after, wanted.type, found)
    return Conversion(level, effect, after, more, changed, "".join(f"{note} " for note in notes))


def _effect(ours: str, theirs: str, wanted: str, found: str) -> tuple[type[Error | Warning], str]:
    pair = ours, theirs
    if pair in BREAKING:
        return Error, BREAKING[pair]
    if pair in EFFECTS:
        return Warning, EFFECTS[pair]
    if ours == theirs:
        return Warning, ROUNDING if ours in ROUNDED and has_fewer_digits(found, wanted) else FITTING
    arrays = ours.endswith("[]") and theirs.endswith("[]")
    if are_known(ours, theirs) and ours not in TEXTS and not arrays:  # text is sent without a type, and may fit
        if not assigns(ours, theirs):
            return Error, "Every write of it fails."
        if theirs in TEXTS:
            return Error, "Reads give text, and queries that compare it fail."
    return Warning, FITTING if {ours, theirs} <= TEXTS else UNSURE


def _changed(name: str, after: str, wanted: str, found: str) -> str:
    """Return the condition of values that come back otherwise, from a zone as timestamps without one."""
    zoned = "ZONE" in after
    there, back = (f"({name}{after})", "timestamp") if zoned else (name, found)
    value = there if zoned else f"({name}{after})"
    return f"{value}::{wanted}::{back} IS DISTINCT FROM {there}"


def converted_default(one: Difference, how: Conversion) -> str:
    """Return what a default must be set to with the new type; "" if the server does it, or there is none, or unread."""
    new, old = (side.default if isinstance(side, ColumnDetail) else "" for side in one.sides)
    if not old or how.suffix == "" or old in NOW:
        return ""
    if new not in {"", old}:
        return new
    return "..." if how.suffix is None else f"({old})::{one.found}{how.suffix}"
