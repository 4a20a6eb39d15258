"""Secrets in an agent's settings: shown to nobody, in no page and no export."""

import json
from collections.abc import Mapping
from typing import Any

from core_tables.admin import looks
from core_tables.fields import DeepJSON

MASK = "••••••••"
# What says of which name the value beside it is, and where that is: [{"name": "OPENAI_API_KEY", "value": "..."}].
NAMED, VALUED = ("name", "key", "id", "variable"), ("value", "val", "default", "data", "content")
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
        NothingBehind: there is no old value; or nobody can tell which it is, or it would be seen where it is now.
    """
    shown = NOTHING if before is NOTHING else masked(before)
    return _hidden(edited, shown, _unmasked(edited, before, shown))


def rebased(edited: Any, shown: Any, now: Any) -> Any:
    """Return the value that there is now, with the changes that somebody made to what was shown to them.

    What they left alone is as it is now, whoever changed it meanwhile, and so is what stands behind a mask.

    Args:
        edited: what came back.
        shown: what they saw: some earlier value, masked.

    Raises:
        NothingBehind: a mask stands where it did not stand before, or for something that has changed meanwhile; or as
            with `unmasked()`.
    """
    if _same(edited, shown):
        return now
    now_shown = masked(now)
    return _hidden(edited, now_shown, _rebased(edited, shown, now, now_shown))


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
    return _unmasked(edited, now, now_shown)


def _unmasked(edited: Any, before: Any, shown: Any) -> Any:
    if isinstance(edited, Mapping):
        old = before if isinstance(before, Mapping) else {}
        return {key: _unmasked(item, old.get(key, NOTHING), _item(shown, key)) for key, item in edited.items()}
    if isinstance(edited, list) and _has_mask(edited):
        _check_places(edited, shown)
        return [_unmasked(*each) for each in zip(edited, before, shown, strict=True)]
    if edited == MASK and before is NOTHING:
        raise NothingBehind(f"{MASK} stands where no value was: write the value.")
    return before if edited == MASK else edited


def _check_places(edited: list[Any], shown: Any) -> None:
    """Refuse a list where a mask may stand for another item than before: they all look alike."""
    if not _has_mask(shown):
        raise NothingBehind(f"{MASK} stands where no value was: write the value.")
    moved = not isinstance(shown, list) or len(edited) != len(shown)
    if moved or any(_has_mask(item) and _is_moved(place, edited, shown) for place, item in enumerate(edited)):
        raise NothingBehind(
            f"A list with {MASK} in it has changed its length or its order, and which secret is which can't be told: "
            "write the value of each anew."
        )


def _is_moved(place: int, edited: list[Any], shown: list[Any]) -> bool:
    item, old = edited[place], shown[place]
    if item == MASK:
        # Before it may stand what it is for, as in ["--token", "..."].
        one_before = place and shown[place - 1] != MASK and not _same(edited[place - 1], shown[place - 1])
        return old != MASK or bool(one_before)
    if _same(item, old):
        return False
    names = [[_item(each, key) for key in NAMED] for each in (item, old)]
    return names[0] != names[1] or any(_same(item, other) for other in shown)


def _hidden(edited: Any, shown: Any, found: Any) -> Any:
    """Return what was found, unless it would show what a mask stood for: it was given a harmless name."""
    if _is_exposed(edited, shown, masked(found)):
        raise NothingBehind(f"What {MASK} stands for would be seen by its new name: write the value.")
    return found


def _is_exposed(edited: Any, shown: Any, again: Any) -> bool:
    if isinstance(edited, Mapping):
        return any(_is_exposed(item, _item(shown, key), _item(again, key)) for key, item in edited.items())
    if isinstance(edited, list) and isinstance(shown, list) and isinstance(again, list):
        return any(_is_exposed(*each) for each in zip(edited, shown, again, strict=False))
    return bool(edited == MASK and shown == MASK and again not in (MASK, NOTHING))


def _masked(value: Any, *, hidden: bool) -> Any:
    if isinstance(value, Mapping):
        paired = any(looks.named(value[key]) for key in NAMED if isinstance(value.get(key), str))
        return {
            key: _masked(item, hidden=hidden or looks.named(key, item) or (paired and str(key).lower() in VALUED))
            for key, item in value.items()
        }
    if isinstance(value, list):
        before = [None, *value]
        return [_masked(item, hidden=hidden or looks.announces(one)) for one, item in zip(before, value, strict=False)]
    if isinstance(value, DeepJSON) or looks.looks(value):
        return MASK
    return MASK if hidden and value not in (None, "") and not isinstance(value, bool) else value


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
