"""The form of a task: it tells at the field what the database or a worker would refuse."""

import datetime
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError

from core_tables import contents
from core_tables.exceptions import InvalidContent
from core_tables.querysets.tasks import FOREIGN_TAG

NOTHING, CENTURY = datetime.timedelta(0), datetime.timedelta(days=36_525)


class LinesField(forms.Field):
    """A list of texts, one a line."""

    widget = AdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else "\n".join(value or ())

    def to_python(self, value: Any) -> list[str]:
        if "\0" in (value or ""):
            raise ValidationError("Null characters are not allowed.")
        return _lines(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        # As it is shown: a text with an end of line in it stays whole where nobody touches the field.
        return _lines(self.prepare_value(initial)) != _lines(data)


class TextField(forms.CharField):
    """A text as it is: browsers end its lines in their own way, which is no change."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"strip": False})

    def to_python(self, value: Any) -> Any:
        return (super().to_python(value) or "").replace("\r\n", "\n")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed((initial or "").replace("\r\n", "\n"), data)


class TaskForm(forms.ModelForm):  # type: ignore[type-arg]
    tags = LinesField(required=False, help_text="One a line.")

    class Meta:
        field_classes = {"name": TextField, "description": TextField}
        widgets = {
            "name": AdminTextareaWidget(attrs={"rows": 1}),
            "description": AdminTextareaWidget(attrs={"rows": 3}),
        }

    def clean_name(self) -> Any:
        try:
            contents.check_text(self.cleaned_data["name"], "The name of a task")
        except InvalidContent as error:
            raise ValidationError(str(error)) from error
        return self.cleaned_data["name"]

    def clean_metadata(self) -> Any:
        metadata = self.cleaned_data["metadata"]
        try:
            if metadata is not None:
                contents._json(metadata, "The metadata of a task", contents.METADATA_BYTES)
        except InvalidContent as error:
            raise ValidationError(str(error)) from error
        return metadata

    def clean_max_attempts(self) -> Any:
        if self.cleaned_data["max_attempts"] < 1:
            raise ValidationError("A task has at least 1 attempt.")
        return self.cleaned_data["max_attempts"]

    def clean_every(self) -> Any:
        every = self.cleaned_data["every"]
        if every is not None and not NOTHING < every <= CENTURY:
            raise ValidationError("Give a span above 0 and up to a century, or nothing for once.")
        return every

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("run_at") and FOREIGN_TAG in (found.get("tags") or ()):
            self.add_error("tags", f"elizaOS runs and deletes what is tagged {FOREIGN_TAG}: remove it, or the time.")
        return found


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]
