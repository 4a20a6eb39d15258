"""What another type of a column means: how bad it is, and what to write to change it by hand. Pure."""

from __future__ import annotations

from typing import NamedTuple

from django.core.checks import Error, Warning  # noqa: A004 Django's names for them

from agentsql.comparison import Difference
from agentsql.details import ColumnDetail
from agentsql.extensions import base_type, family
from agentsql.schema import Column

ZONED = {"timestamptz", "timestamp"}
# Defaults that are a moment with its zone; of a timestamp without one, the cast is not printed, and goes with the type.
NOW = ("now()", "CURRENT_TIMESTAMP", "transaction_timestamp()", "statement_timestamp()", "clock_timestamp()")


class Conversion(NamedTuple):
    """What another type means: the level, what code notices, and what follows a value to make a new one of it.

    `more` is what else may be done; `plain` says that the server casts a default by itself.
    """

    level: type[Error | Warning]
    effect: str
    suffix: str
    more: str = ""
    plain: bool = False


def conversion(wanted: Column, found: str) -> Conversion:
    cast = f"::{wanted.type}"
    families = family(found), family(wanted.type)
    if families == ("time", "time") and "without time zone" in found and base_type(wanted.type) in ZONED:
        zone = " AT TIME ZONE 'UTC'"  # a bare cast would take the zone of whoever runs it
        widen = ", but with --widen --zone UTC, where that is the zone it was written in"
        effect = "Reads give times without a zone, which Python can't compare with others."
        return Conversion(Warning, effect, zone, widen)
    if families == ("json", "json") and base_type(found) == "json":
        return Conversion(Error, "Reading it by the ORM fails.", cast, plain=True)
    if families[0] == families[1] != "":
        effect = "Code goes on as long as the values fit."
        return Conversion(Warning, effect, cast, ", but for what --widen may do", plain=True)
    return Conversion(Warning, "Code that compares or writes it may fail.", cast)


def converted_default(one: Difference, how: Conversion) -> str:
    """Return what a default must be set to with the new type; "" if the server does it, or there is none, or unread."""
    new, old = (side.default if isinstance(side, ColumnDetail) else "" for side in one.sides)
    if not old or how.plain or old in NOW:
        return ""
    return new if new not in {"", old} else f"({old})::{one.found}{how.suffix}"
