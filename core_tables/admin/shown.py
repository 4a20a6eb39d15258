"""What agents and users wrote, as HTML for people: always escaped, never followed, bounded in length."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from core_tables.contents import is_deep
from core_tables.fields import DeepJSON

LONGEST = 20_000  # characters of JSON on a page; an export has all
BRIEF = 100


def as_json(value: Any) -> SafeString:
    """Return a JSON value laid out over lines, cut where it is long."""
    text = laid_out(value)
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n… {len(text) - LONGEST:,} more characters"
    return format_html('<pre class="agent-json" tabindex="0">{}</pre>', text)


def laid_out(value: Any) -> str:
    """Return a JSON value as text over several lines, or on one where it is nested very deeply."""
    if isinstance(value, DeepJSON):
        return str(value)
    try:
        # Indents grow with the square of the depth.
        text = json.dumps(value, indent=None if is_deep(value) else 2, ensure_ascii=False, default=str)
    except RecursionError:
        return "Nested too deeply to be shown."
    # Half a surrogate pair can be typed into a form, but not sent in a page: written as JSON escapes it.
    return text.encode(errors="backslashreplace").decode()


def text_of(content: Any) -> str:
    """Return the words of a memory's content, "" where it has none."""
    text = content.get("text") if isinstance(content, Mapping) else None
    return text if isinstance(text, str) else ""


def attachments_of(content: Any) -> list[str]:
    """Return the names of what a content has attached: titles, or else addresses, as text."""
    attached = content.get("attachments") if isinstance(content, Mapping) else None
    if not isinstance(attached, Sequence) or isinstance(attached, str):
        return []
    return [_name(one) for one in attached]


def brief(text: str, length: int = BRIEF) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text[: 4 * length].split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _name(attachment: Any) -> str:
    if isinstance(attachment, Mapping):
        for key in ("title", "name", "url", "id"):
            if isinstance(value := attachment.get(key), str) and value:
                return brief(value)
    return brief(str(attachment))
