"""Secrets in an agent's settings: shown to nobody, in no page and no export."""

import json
import re
from collections.abc import Mapping
from typing import Any

MASK = "••••••••"
# A name with one of these words in it, however it is put together: OPENAI_API_KEY, apiKey, dbPassword.
NAMES = re.compile(
    r"secret|token|passw|passphrase|pass$|pwd|credential|private|api[-_ ]?key|auth|bearer|jwt|cookie|session|dsn|"
    r"signature|salt|mnemonic|seed|webhook|connection[-_ ]?string|(^|[-_ a-z])key$|_url$",
    re.IGNORECASE,
)
# What a value tells of itself: a password in an address, or the beginnings that services give to their keys.
VALUES = re.compile(
    r"://[^/\s@]*:[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY|\bBearer \S|"
    r"\b(sk|pk|rk)[-_]\w{2,}|\b(gh[opsu]|github_pat|glpat|xox[abeprs]|hf|npm)[-_]\w{8,}|\b(AKIA|AIza|eyJ)[\w-]{12,}"
)
NOTHING = object()


class NothingBehind(ValueError):
    """A mask stands where there is no old value, or another than the one that was masked."""


def masked(value: Any) -> Any:
    """Return a JSON value with every secret replaced by MASK: what its name or its look gives away."""
    try:
        return _masked(value, hidden=False)
    except RecursionError:
        return MASK


def unmasked(edited: Any, before: Any = NOTHING) -> Any:
    """Return what somebody edited with the masks taken off again: where MASK stands, the old value stays.

    Raises:
        NothingBehind: there is no old value.
    """
    if isinstance(edited, Mapping):
        old = before if isinstance(before, Mapping) else {}
        return {key: unmasked(item, old.get(key, NOTHING)) for key, item in edited.items()}
    if isinstance(edited, list):
        old_items = before if isinstance(before, list) else []
        padded = [*old_items, *[NOTHING] * len(edited)]
        return [unmasked(item, padded[place]) for place, item in enumerate(edited)]
    if edited == MASK and before is NOTHING:
        raise NothingBehind(f"{MASK} stands where no value was: write the value.")
    return before if edited == MASK else edited


def rebased(edited: Any, shown: Any, now: Any) -> Any:
    """Return the value that there is now, with the changes that somebody made to what was shown to them.

    What they left alone is as it is now, whoever changed it meanwhile, and so is what stands behind a mask.

    Args:
        edited: what came back.
        shown: what they saw: some earlier value, masked.

    Raises:
        NothingBehind: a mask stands where it did not stand before, or for something that has changed meanwhile.
    """
    return _rebased(edited, shown, now, masked(now))


def _rebased(edited: Any, shown: Any, now: Any, now_shown: Any) -> Any:
    if _same(edited, shown):
        return now
    if isinstance(edited, Mapping) and isinstance(shown, Mapping) and isinstance(now, Mapping):
        kept = {key: value for key, value in now.items() if key in edited or key not in shown}
        changed = {key: value for key, value in edited.items() if not _same(value, shown.get(key, NOTHING))}
        return kept | {
            key: _rebased(value, shown.get(key, NOTHING), now.get(key, NOTHING), _item(now_shown, key))
            for key, value in changed.items()
        }
    if _has_mask(edited) and not _same(shown, now_shown):
        raise NothingBehind(f"What {MASK} stands for has changed meanwhile: open the page again.")
    return unmasked(edited, now)


def _masked(value: Any, *, hidden: bool) -> Any:
    if isinstance(value, Mapping):
        return {key: _masked(item, hidden=hidden or bool(NAMES.search(str(key)))) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, hidden=hidden) for item in value]
    if isinstance(value, str) and VALUES.search(value):
        return MASK
    return MASK if hidden and value not in (None, "", True, False) else value


def _item(value: Any, key: str) -> Any:
    return value.get(key, NOTHING) if isinstance(value, Mapping) else NOTHING


def _same(one: Any, other: Any) -> bool:
    """Compare as JSON does, where 1 and true are different."""
    if one is NOTHING or other is NOTHING:
        return one is other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _has_mask(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_mask, value.values()))
    return any(map(_has_mask, value)) if isinstance(value, list) else value == MASK
