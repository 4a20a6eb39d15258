"""Any Python value as JSON: as it is where JSON gives it back the same, else pickled and signed.

Whoever can make a program unpickle bytes of theirs can make it do anything. Other programs write the cache too, with
values that may come from a chat, so a pickle counts only with a signature made with this project's SECRET_KEY.
"""

import base64
import math
import pickle
import re
from typing import Any

from django.core.signing import BadSignature, Signer

from core_tables.contents import is_deep

WRAPPER = "__pickle__"
# PostgreSQL keeps no NUL, and what has no UTF-8 (half of a surrogate pair) can't even be sent.
UNFIT = re.compile("[\0\ud800-\udfff]")
# Longer integers are exact in JSONB too, but few programs read them as they are.
INTEGER_BITS = 63


class Unreadable(Exception):
    """A pickle without a signature of this project: another program wrote it, or SECRET_KEY was another one."""


def _is_number(value: float) -> bool:
    """Whether a number comes back as it is from JSONB, which keeps decimals: no -0.0, and 1e+16 is an integer."""
    if type(value) is int:
        return value.bit_length() <= INTEGER_BITS
    return math.isfinite(value) and "e+" not in repr(value) and (value != 0 or math.copysign(1, value) > 0)


def is_plain(value: Any) -> bool:
    """Whether JSONB gives this very value back, but for the order of keys, which it does not keep."""
    kind = type(value)
    if kind is str:
        return not UNFIT.search(value)
    if kind is int or kind is float:
        return _is_number(value)
    if kind is list:
        return all(map(is_plain, value))
    if kind is dict:
        return all(type(key) is str and not UNFIT.search(key) for key in value) and all(map(is_plain, value.values()))
    return value is None or kind is bool


def dump(value: Any) -> Any:
    """Return what JSON can keep, from which `load` makes the value again.

    Raises:
        pickle.PicklingError, TypeError, AttributeError: a value that is not for pickling.
    """
    try:
        if is_plain(value) and not (type(value) is dict and WRAPPER in value) and not is_deep(value):
            return value
    except RecursionError:  # a list that holds itself
        pass
    try:
        text = base64.b64encode(pickle.dumps(value, pickle.HIGHEST_PROTOCOL)).decode("ascii")
    except RecursionError as problem:
        raise pickle.PicklingError(
            f"A {type(value).__name__} is nested too deeply for a pickle: flatten it."
        ) from problem
    return {WRAPPER: _signer().sign(text)}


def load(value: Any) -> Any:
    """Return the value that `dump` was given.

    Raises:
        Unreadable: it is a pickle that this project did not sign.
    """
    if type(value) is not dict or WRAPPER not in value:
        return value
    try:
        text = _signer().unsign(value[WRAPPER])
    except (BadSignature, TypeError, AttributeError) as problem:
        raise Unreadable from problem
    return pickle.loads(base64.b64decode(text))  # noqa: S301 - signed: it is our own


def _signer() -> Signer:
    return Signer(salt="core_tables.pickled")
