"""Lists of texts in forms: one a line, instead of Django's commas, which stand within names as well."""

import json
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator

from core_tables.fields import texts


class LinesField(forms.CharField):
    """A list of texts. What can't stand on a line of its own stands there as JSON, in double quotes."""

    widget = AdminTextareaWidget

    def __init__(self, *, rows: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs["rows"] = rows

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(_line, _texts(value))) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return list(value)
        return [_text(line.strip()) for line in (value or "").splitlines() if line.strip()]

    def run_validators(self, value: Any) -> None:
        for text in value:
            ProhibitNullCharactersValidator()(text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != _texts(initial))
        except ValidationError:
            return True


def _texts(values: Any) -> list[str]:
    # Where nobody touches the field, whatever else is there stays.
    return list(texts(list(values or ())))


def _line(text: str) -> str:
    return text if text.splitlines() == [text.strip()] and text[0] != '"' else json.dumps(text)


def _text(line: str) -> str:
    if not line.startswith('"'):
        return line
    try:
        text = json.loads(line)
        text.encode()
    except (ValueError, AttributeError) as error:
        raise ValidationError(f"What begins with a double quote is read as JSON, and this can't be: {line}") from error
    return str(text)
