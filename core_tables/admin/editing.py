"""Forms that tell at the field what the database would refuse, and writes of what was changed and nothing else."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from core_tables.admin.base import RecordAdmin
from core_tables.contents import content_json
from core_tables.exceptions import InvalidContent


class TextFormField(forms.CharField):
    """A text as it is: browsers send back other ends of lines than they were given, and spaces may mean something."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"strip": False, **kwargs})

    def to_python(self, value: Any) -> Any:
        return _unix(super().to_python(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(_unix(initial), _unix(data))


class RecordForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form of any core table."""

    def clean(self) -> Any:
        cleaned = super().clean()
        for field in self._meta.model._meta.concrete_fields:
            if isinstance(field, models.JSONField) and field.name in self.cleaned_data:
                self._clean_json(field)
        return cleaned

    def _clean_json(self, field: Any) -> None:
        value = self.cleaned_data[field.name]
        if value is None and not field.null:
            # An empty form field says nothing of the kind of JSON; the column takes no NULL.
            self.cleaned_data[field.name] = field.get_default()
        try:
            content_json({"": value})
        except InvalidContent as error:
            self.add_error(field.name, str(error).replace("The content of a memory", "This"))


class ChangedOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """For an admin: a form holds all columns as they were when the page was shown, and others may have changed some."""

    form = RecordForm
    formfield_overrides = RecordAdmin.formfield_overrides | {models.TextField: {"form_class": TextFormField}}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_data:
            obj.save(update_fields=[*form.changed_data, "updated_at"])


def _unix(text: Any) -> Any:
    return text.replace("\r\n", "\n") if isinstance(text, str) else text
