"""What a form showed, as a digest beside each field: what came back unchanged is told from what a person changed."""

import hashlib
import json
from typing import Any

from django import forms
from django.forms.boundfield import BoundField


class Seen(forms.HiddenInput):
    """The digest of what a field showed, whatever the field shows now."""

    def __init__(self, form: Any, name: str) -> None:
        super().__init__()
        self.form, self.field_name = form, name

    def format_value(self, value: Any) -> str:  # noqa: ARG002
        return str(self.form.seen(self.field_name))


def of_shown(bound: BoundField) -> str:
    """Return the digest of what a field shows of its row, before anybody touches it."""
    return _digest(bound, _sent(bound.field.widget, bound.field.prepare_value(bound.initial)))


def of_sent(bound: BoundField) -> str:
    """Return the digest of what a browser sent for a field."""
    return _digest(bound, bound.data)


def in_words(bound: BoundField) -> str:
    """Return what a field shows of its row, as text."""
    shown = _sent(bound.field.widget, bound.field.prepare_value(bound.initial))
    parts = shown if isinstance(shown, list) else [shown]
    return " ".join(str(part) for part in parts if part not in (None, ""))


def _sent(widget: Any, value: Any) -> Any:
    """Return what a browser sends for a widget that nobody touches."""
    if isinstance(widget, forms.MultiWidget):
        parts: Any = value if isinstance(value, list) else widget.decompress(value)
        return [_sent(*pair) for pair in zip(widget.widgets, parts, strict=True)]
    if isinstance(widget, forms.CheckboxInput):
        return bool(value)
    text = widget.format_value(value)
    return (text or [""])[0] if isinstance(text, list) else text


def _digest(bound: BoundField, sent: Any) -> str:
    one_line = isinstance(bound.field.widget, forms.widgets.Input)
    return hashlib.sha256(json.dumps(_plain(sent, one_line=one_line)).encode()).hexdigest()[:32]


def _plain(sent: Any, *, one_line: bool) -> Any:
    """Return what was sent but for what browsers do to it: ends of lines are theirs, and an input has one line."""
    if isinstance(sent, list):
        return [_plain(part, one_line=one_line) for part in sent]
    if isinstance(sent, bool):
        return sent
    text = "" if sent is None else str(sent).replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", "") if one_line else text
