"""JSON in forms: laid out over lines; whatever a browser sends ends as an error at the field, never as a failure."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from core_tables.admin.shown import laid_out


class JSONFormField(forms.JSONField):
    """A JSON value to edit."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        # Nested too deeply, or a number of too many digits: Django expects neither.
        except (RecursionError, ValueError) as error:
            raise ValidationError(f"This JSON can't be read: {error}.") from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except (RecursionError, ValueError):
            return InvalidJSONInput(data)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, InvalidJSONInput) else laid_out(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return super().has_changed(initial, data)
        except ValidationError:
            return True
