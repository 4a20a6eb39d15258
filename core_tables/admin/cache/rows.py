"""Cache entries as pages show them, and as addresses name them: their key is a pair, and one of it any text."""

from typing import Any
from uuid import UUID

from django.contrib.admin.utils import quote, unquote
from django.db.models import Case, IntegerField, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Length
from django.template.defaultfilters import filesizeformat

from core_tables.admin.shown import brief
from core_tables.admin.stored import StoredSize, beginning_unless_large, unless_large
from core_tables.admin.stranded import kept
from core_tables.models import Cache
from core_tables.pickled import WRAPPER


class PickledBytes(Length):
    """How long a pickle is, told from its base64 without the padding; whatever else is there is not looked at."""

    template = "(length(rtrim(split_part(%(expressions)s, ':', 1), '=')) * 3 / 4)"


def pickled() -> Case:
    """Return the bytes of a pickled value, None for others."""
    size = PickledBytes(KeyTextTransform(WRAPPER, "value"))
    return Case(When(value__has_key=WRAPPER, then=size), output_field=IntegerField())


def listed(rows: Any) -> Any:
    """Return entries as a list needs them: their values are not loaded."""
    rows = rows.select_related("agent").only("key", "agent__name", "expires_at", "updated_at")
    return rows.annotate(
        stored=StoredSize("value"),
        value_beginning=beginning_unless_large("value"),
        pickled=unless_large("value", pickled(), None, IntegerField()),
    )


def size_of(entry: Any) -> str:
    """Return how much room a listed entry's value takes."""
    return str(filesizeformat(entry.stored))


def line(entry: Any) -> str:
    """Return the beginning of a listed entry's value; a pickle is never opened."""
    return brief(entry.value_beginning) if entry.pickled is None else pickled_text(entry.pickled)


def pickled_text(size: int) -> str:
    return f"pickled, {size:,} bytes"


def id_of(entry: Cache) -> str:
    """Return what the admin's log knows an entry by."""
    return f"{entry.agent_id}:{entry.key}"


def address_of(entry: Cache) -> str:
    """Return the same as a part of an address."""
    return quote(id_of(entry))


def found(address: str) -> Cache | None:
    """Return the entry that a part of an address names, without its value but with `stored` and `pickled`."""
    agent, _, key = unquote(address).partition(":")
    try:
        rows = kept(Cache.objects.filter(agent=UUID(agent), key=key))
    except ValueError:
        return None
    if "\0" in key:
        return None
    rows = rows.select_related("agent").defer("value")
    entry: Cache | None = rows.annotate(stored=StoredSize("value"), pickled=pickled()).first()
    return entry
