"""What a memory may hold: whatever PostgreSQL or an index would refuse is told here, in words, before it is sent."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from core_tables.exceptions import InvalidContent

if TYPE_CHECKING:
    from core_tables.models import Memory

CONTENT_BYTES = 16 * 2**20  # of content, written as JSON in UTF-8
METADATA_BYTES = 2**20
INDEXED_BYTES = 1000  # of a type, or of a metadata key that has an index: its entry has to fit a third of a page
INDEXED_KEYS = ("type", "documentId", "position")
# Objects and lists within each other. Whoever reads a row may be deep in calls of its own, and Python's limit is near.
DEEPEST = 100
NEEDED_KEYS = {"fragment": ("documentId", "position"), "document": ("timestamp",)}

# A backslash that is itself escaped starts no escape.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def as_content(content: Any) -> Any:
    """Return the content of a memory: a text is what the key `text` holds."""
    return {"text": content} if isinstance(content, str) else content


def checked_json(memory: "Memory") -> tuple[bytes, bytes]:
    """Return content and metadata as JSON.

    Raises:
        InvalidContent: a column of the memory holds what PostgreSQL or an index would refuse.
    """
    if memory.agent_id is None:
        raise InvalidContent("A memory belongs to an agent: give it one.")
    check_text(memory.type, "The type of a memory")
    return content_json(memory.content), metadata_json(memory.metadata)


def content_json(content: Any) -> bytes:
    """Return content as JSON.

    Raises:
        InvalidContent: it is no JSON object, too large, nested more than 100 deep, or has characters that PostgreSQL
            takes in no JSON.
    """
    return _json(content, "The content of a memory", CONTENT_BYTES)


def metadata_json(metadata: Any) -> bytes:
    """Return metadata as JSON.

    Raises:
        InvalidContent: as with content; or what a document or a fragment needs is missing.
    """
    written = _json(metadata, "The metadata of a memory", METADATA_BYTES)
    _check_keys(metadata)
    return written


def check_text(text: Any, what: str) -> None:
    """Refuse what no indexed text column takes.

    Raises:
        InvalidContent: it is empty, too long or no text, or holds a NUL character or half a surrogate pair.
    """
    if not isinstance(text, str) or not text:
        raise InvalidContent(f"{what} is {text!r}: make it a text that is not empty.")
    size = len(_utf8(text, what))
    if size > INDEXED_BYTES:
        raise InvalidContent(f"{what} has {size:,} bytes: {INDEXED_BYTES:,} is the most that an index takes.")
    if "\0" in text:
        raise InvalidContent(f"{what} holds a NUL character, which no text in PostgreSQL may: take it out.")


def check_row(row: models.Model, what: str = "") -> None:
    """Refuse a row with what PostgreSQL has no text for, in any of its columns.

    Args:
        row: any row of a core table. An expression in it is the database's to judge.
        what: what to call the row, such as "Message 3 of these"; by default, what its model is called.

    Raises:
        InvalidContent: a text or JSON holds a NUL character or half a surrogate pair, or is no JSON, or too deep.
    """
    for field in row._meta.concrete_fields:
        value = row.__dict__.get(field.attname)
        name = f"The field {field.name} of {what or f'the {row._meta.verbose_name}'}"
        if isinstance(field, models.JSONField) and not hasattr(value, "resolve_expression"):
            _written(value, name, field.encoder)
        for text in value if isinstance(value, list) and isinstance(field, ArrayField) else [value]:
            if isinstance(text, str):
                checked_text(text, name)


def checked_text(text: str | int, what: str) -> str:
    """Return a text for a column that may hold any; a whole number is as good as its digits.

    Raises:
        InvalidContent: it is neither, or holds a NUL character or half a surrogate pair.
    """
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise InvalidContent(f"{what} is {text!r}: make it a text.")
    if "\0" in (written := str(text)):
        raise InvalidContent(f"{what} holds a NUL character, which no text in PostgreSQL may: take it out.")
    _utf8(written, what)
    return written


def _json(value: Any, what: str, most: int) -> bytes:
    if not isinstance(value, dict):
        raise InvalidContent(f"{what} is a {type(value).__name__}: make it a dict, which becomes a JSON object.")
    written = _written(value, what)
    if len(written) > most:
        raise InvalidContent(f"{what} has {len(written):,} bytes as JSON: {most:,} is the most.")
    return written


def _written(value: Any, what: str, encoder: type[json.JSONEncoder] | None = None) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, cls=encoder)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidContent(f"{what} can't be written as JSON: {error}.") from error
    # Every level has a bracket of its own: few need to be counted.
    if text.count("{") + text.count("[") > DEEPEST and is_deep(value):
        raise InvalidContent(f"{what} is nested more than {DEEPEST} deep, which is the most: make it flatter.")
    written = _utf8(text, what)
    if _NUL.search(written):
        raise InvalidContent(f"{what} holds a NUL character, which no JSON in PostgreSQL may: take it out.")
    return written


def is_deep(value: Any, most: int = DEEPEST) -> bool:
    """Whether there are more than `most` lists and objects in one another."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else None
    return inner is not None and (most < 1 or any(is_deep(each, most - 1) for each in inner))


def _utf8(text: str, what: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidContent(
            f"{what} holds half a surrogate pair, which is no character: "
            'replace it by text.encode("utf-8", "replace").decode().'
        ) from None


def _check_keys(metadata: Mapping[str, Any]) -> None:
    kind = metadata.get("type")
    for key in NEEDED_KEYS.get(kind, ()) if isinstance(kind, str) else ():
        if key not in metadata:
            raise InvalidContent(f"The metadata of a {kind} needs the key {key}.")
    for key in INDEXED_KEYS:
        size = len(str(metadata.get(key, "")).encode())
        if size > INDEXED_BYTES:
            raise InvalidContent(
                f"The metadata key {key} has {size:,} bytes: {INDEXED_BYTES:,} is the most that its index takes."
            )
