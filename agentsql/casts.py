"""What PostgreSQL makes of a value of one type on the way to another: by itself, by a cast, or with something lost.

A value is cast as on an INSERT, which refuses what does not fit; an explicit cast would cut it. What even that rounds
is known here, too. The casts are those of pg_cast, contexts i and a.
"""

from __future__ import annotations

import re

from agentsql.wider import LOCAL, NUMERIC, UTC, form, is_wider

KINDS = {  # by the spellings of a type
    **dict.fromkeys(("smallint", "integer", "bigint", "serial", "bigserial", "smallserial"), "integer"),
    **dict.fromkeys(("numeric", "decimal"), "numeric"),
    **dict.fromkeys(("real", "double precision"), "float"),
    **dict.fromkeys(("text", "varchar", "character varying", "citext"), "text"),
    **dict.fromkeys(("char", "character", "bpchar"), "char"),
    **dict.fromkeys(("timestamptz", UTC), "timestamptz"),
    **dict.fromkeys(("timestamp", LOCAL), "timestamp"),
    **dict.fromkeys(("timetz", "time with time zone"), "timetz"),
    **dict.fromkeys(("time", "time without time zone"), "time"),
    **{name: name for name in ("boolean", "date", "interval", "uuid", "json", "jsonb", "bytea", "inet")},
}
TEXTS = {"text", "char"}
ASSIGNED = {  # what a value becomes by itself on an INSERT, beside text, which all do
    "integer": {"numeric", "float"},
    "numeric": {"integer", "float"},
    "float": {"integer", "numeric"},
    "date": {"timestamp", "timestamptz"},
    "timestamp": {"date", "timestamptz"},
    "timestamptz": {"date", "timestamp", "timetz"},
    "time": {"timetz", "interval"},
    "timetz": {"time"},
    "interval": {"time"},
    "json": {"jsonb"},
    "jsonb": {"json"},
}
CASTS = {  # what is written instead, where that would take the zone of whoever runs it, or there is no such cast
    ("timestamp", "timestamptz"): " AT TIME ZONE 'UTC'",
    ("timestamptz", "timestamp"): " AT TIME ZONE 'UTC'",
    ("timestamptz", "date"): " AT TIME ZONE 'UTC'",
    ("date", "timestamptz"): "::timestamp AT TIME ZONE 'UTC'",
    ("integer", "boolean"): " <> 0",
    ("boolean", "integer"): "::integer",
}
CHANGING = {  # what is rounded or cut on the way, without a word
    ("numeric", "integer"),
    ("float", "integer"),
    ("numeric", "float"),
    ("integer", "float"),
    ("float", "numeric"),
    ("timestamp", "date"),
    ("timestamptz", "date"),
    ("timetz", "time"),
    ("interval", "time"),
    ("integer", "boolean"),
}
ROUNDED = {"numeric", "float", "timestamp", "timestamptz", "time", "timetz", "interval"}  # to their digits


def kind(text: str) -> str:
    """Return what a type is called here: "timestamptz" for "timestamp(3) with time zone", "text[]" for its arrays."""
    bare = re.sub(r" ?\([^)]*\)", "", text.replace('"', "")).lower()
    element = bare.partition("[")[0]
    element = "interval" if element.startswith("interval ") else element
    return KINDS.get(element, element) + ("[]" if "[" in bare else "")


def _element(name: str) -> str:
    return name.removesuffix("[]")


def are_known(*names: str) -> bool:
    return {_element(name) for name in names} <= set(KINDS.values())


def assigns(source: str, target: str) -> bool:
    if source.endswith("[]") and target.endswith("[]"):
        return assigns(_element(source), _element(target))
    return source == target or target in TEXTS or target in ASSIGNED.get(source, ())


def has_fewer_digits(found: str, wanted: str) -> bool:
    """Tell whether a type rounds what another of its kind holds; one without a limit holds the most there is."""
    old, new = form(found), form(wanted)
    if old is not None and new is not None and old.family == NUMERIC:
        return old.limit is not None and (new.limit is None or old.scale < new.scale)
    return ("(" in found or found.startswith(("interval ", "real"))) and found != wanted


def suffix(ours: str, theirs: str, wanted: str) -> str | None:
    """Return what to write after a value; a cast names no length, so that one too long for it is refused."""
    if (theirs, ours) in CASTS:
        return CASTS[theirs, ours]
    if theirs in TEXTS and ours not in TEXTS and ours != "bit":
        return f"::{re.sub(r' ?[(][^)]*[)]', '', wanted)}"
    return "" if assigns(theirs, ours) or not are_known(ours, theirs) else None


def changes(ours: str, theirs: str, wanted: str, found: str) -> bool:
    if is_wider(found, wanted):
        return False
    if ours == theirs and ours in ROUNDED:
        return has_fewer_digits(wanted, found)
    text = theirs in TEXTS and ours in {*ROUNDED, "date"}
    cut = _element(ours) in TEXTS and "(" in wanted  # blanks at its end
    return text or cut or (theirs, ours) in CHANGING
