"""What an agent's store is given: keys, values and timeouts, told what is wrong before the database would be."""

import datetime
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from core_tables.contents import DEEPEST, is_deep
from core_tables.exceptions import InvalidKey, InvalidValue
from core_tables.pickled import UNFIT

NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
# Seconds: a century. Longer is as good as for good, and Python can't read a date after the year 9999.
LONGEST = 100 * 365 * 24 * 3600.0
# Of a key, in UTF-8: with the agent's id it has to fit a third of an index's page.
KEY_BYTES = 2500

Timeout = float | datetime.timedelta | None


def interval(timeout: Timeout) -> datetime.timedelta | None:
    """Return how long to keep a value, as PostgreSQL takes it; None for good.

    Raises:
        TypeError, ValueError: it is no number.
    """
    if timeout is None:
        return None
    seconds = timeout.total_seconds() if isinstance(timeout, datetime.timedelta) else as_float(timeout, "A timeout")
    if math.isnan(seconds):
        raise ValueError("A timeout that is not a number says nothing: give seconds, or None for good.")
    return None if seconds > LONGEST else datetime.timedelta(seconds=max(seconds, -LONGEST))


def as_float(number: float, what: str) -> float:
    """Return a number as a float, infinity where no float is as large.

    Raises:
        TypeError: it is none.
    """
    if not hasattr(number, "__float__"):
        raise TypeError(f"{what} is a number, not {number!r}.")
    try:
        return float(number)
    except OverflowError:  # an integer longer than any float
        return math.copysign(math.inf, number > 0 or -1)


def checked_keys(keys: Iterable[str], most: float = math.inf) -> list[str]:
    """Return keys that PostgreSQL takes, of up to so many bytes.

    Raises:
        TypeError: one is no text.
        InvalidKey: one is too long, or holds what no text in PostgreSQL may.
    """
    found = list(keys)
    for key in found:
        if not isinstance(key, str):
            raise TypeError(f"A key is a text, not {type(key).__name__}: take str({key!r}).")
        if UNFIT.search(key):
            raise InvalidKey(f"The key {key!r:.100} holds a NUL or half a surrogate pair: take it out.")
        if len(key.encode()) > most:
            raise InvalidKey(
                f"The key {key!r:.60} has {len(key.encode()):,} bytes, and {most:,} is the most that its index takes: "
                "keep the value under a hash of it."
            )
    return found


def as_json(data: Mapping[str, Any]) -> str:
    """Return the JSON of a mapping; PostgreSQL's own refusal would name no key, and break the transaction.

    Raises:
        InvalidValue: a value is no JSON.
    """
    try:
        text = json.dumps(data, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as problem:
        raise _invalid(data, str(problem)) from problem
    if text.count("{") + text.count("[") > DEEPEST and any(map(is_deep, data.values())):
        raise _invalid(data, f"it is nested more than {DEEPEST} deep")
    if "\\u0000" in text and NUL.search(text):
        raise _invalid(data, "PostgreSQL keeps no NUL character")
    return text


def _invalid(data: Mapping[str, Any], reason: str) -> InvalidValue:
    names = ", ".join(map(repr, list(data)[:3]))
    return InvalidValue(
        f"What is to be kept under {names} is not JSON ({reason}). Turn it into texts, finite numbers, lists and "
        "objects first, or use the cache backend core_tables.cache.AgentCache, which pickles it."
    )
