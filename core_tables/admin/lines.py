"""Lists of texts in forms: one a line, instead of Django's commas, which stand within names as well."""

import json
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator


class LinesField(forms.CharField):
    """A list of texts. What can't stand on a line of its own stands there as JSON, in double quotes."""

    widget = AdminTextareaWidget

    def __init__(self, *, rows: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs["rows"] = rows

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(_line, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return list(value)
        return [_text(line.strip()) for line in (value or "").splitlines() if line.strip()]

    def run_validators(self, value: Any) -> None:
        for text in value:
            ProhibitNullCharactersValidator()(text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != list(initial or ()))
        except ValidationError:
            return True


def _line(text: Any) -> str:
    plain = str(text)
    return plain if plain and plain.splitlines() == [plain.strip()] and plain[0] != '"' else json.dumps(plain)


def _text(line: str) -> str:
    if not line.startswith('"'):
        return line
    try:
        text = json.loads(line)
        text.encode()
    except (ValueError, AttributeError) as error:
        raise ValidationError(f"What begins with a double quote is read as JSON, and this can't be: {line}") from error
    return str(text)
