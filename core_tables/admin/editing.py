"""Forms that tell at the field what the database would refuse, and writes of what was changed and nothing else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import DatabaseError, models, router, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

from core_tables.admin import seen
from core_tables.admin.base import RecordAdmin
from core_tables.admin.refusals import Refusal
from core_tables.admin.shown import brief
from core_tables.contents import content_json
from core_tables.exceptions import InvalidContent

NO_OBJECT = re.compile(r"is an? (\w+): make it a dict, which becomes a JSON object")
KINDS = {"list": "a list", "int": "a number", "float": "a number", "bool": "true or false", "NoneType": "empty"}
SURROGATE = re.compile(r"replace it by text\.encode.*")


class TextFormField(forms.CharField):
    """A text as it is: browsers send back other ends of lines than they were given, and spaces may mean something."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"strip": False, **kwargs})

    def to_python(self, value: Any) -> Any:
        return _unix(super().to_python(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(_unix(initial), _unix(data))


class RecordForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form of any core table: what its person left alone is neither checked nor written, whoever changed it since.

    merged: fields that join what two people changed by themselves.
    refusal: what the database said to what was sent, when it was tried.
    """

    merged: ClassVar[tuple[str, ...]] = ()
    refusal: ClassVar[Refusal | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = () if self.instance._state.adding else self.fields.keys() - self.merged
        self._digested, self._overtaken = set(own), set[str]()
        for name in self._digested:
            field: Any = self.fields[name]
            field.show_hidden_initial, field.hidden_widget = True, partial(seen.Seen, self, name)

    @cached_property
    def changed_data(self) -> list[str]:
        """Return the names of the fields that a person changed."""
        return [name for name in self.fields if self._is_changed(name)]

    def seen(self, name: str) -> str:
        """Return the digest of what a person knows of a field: what it showed at first, unless told of more since."""
        before = self._seen_before(name)
        return seen.of_shown(self[name]) if before is None or name in self._overtaken else before

    def save(self, commit: bool = True) -> Any:
        if not commit or self.instance._state.adding:
            return super().save(commit)
        self.instance.save(update_fields=[*self.changed_data, "updated_at"])
        return self.instance

    def clean(self) -> Any:
        cleaned = super().clean()
        for field in self._meta.model._meta.concrete_fields:
            own = hasattr(self, f"clean_{field.name}")
            if isinstance(field, models.JSONField) and field.name in self.cleaned_data and not own:
                self._clean_json(field)
        if self.refusal:
            self.add_error(self.refusal.field(self), str(self.refusal))
        return cleaned

    def _is_changed(self, name: str) -> bool:
        bound: Any = self[name]
        if name not in self._digested:
            return bool(bound._has_changed())
        if self._seen_before(name) == seen.of_sent(bound):
            return False
        return bool(bound.field.has_changed(bound.initial, bound.data))

    def _seen_before(self, name: str) -> str | None:
        return self.data.get(self[name].html_initial_name)

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]
        for name in self._digested:
            before = self._seen_before(name)
            if name not in self.changed_data:
                # The row keeps what it has now.
                self.cleaned_data.pop(name, None)
                if before is not None:
                    self.errors.pop(name, None)
            elif before not in (None, seen.of_shown(self[name])):
                self._overtaken.add(name)
                now = brief(seen.in_words(self[name])) or "empty"
                self.add_error(name, f"Somebody has changed this meanwhile to: {now} - Save again to put yours there.")

    def _clean_json(self, field: Any) -> None:
        value = self.cleaned_data[field.name]
        if value is None and not field.null:
            # An empty form field says nothing of the kind of JSON; the column takes no NULL.
            self.cleaned_data[field.name] = field.get_default()
        try:
            with told():
                content_json({"": value})
        except ValidationError as error:
            self.add_error(field.name, error)


class ChangedOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """For an admin: a form holds all columns as they were when the page was shown, and others may have changed some."""

    form = RecordForm
    formfield_overrides = RecordAdmin.formfield_overrides | {models.TextField: {"form_class": TextFormField}}

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the page; where the database refuses what was sent, with that in it and the words of the refusal."""
        response: HttpResponse
        try:
            response = super().changeform_view(request, *args, **kwargs)
        except DatabaseError as error:
            request.__dict__["refusal"] = refusal = Refusal.of(error)
            if refusal is None:
                raise
        else:
            return response
        response = super().changeform_view(request, *args, **kwargs)
        return response

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, *args, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return a row as it is, and locked where it is about to be changed."""
        found = super().get_object(request, *args, **kwargs)
        alias = router.db_for_write(self.model)
        if found is None or request.method != "POST" or not transaction.get_connection(alias).in_atomic_block:
            return found
        # NO KEY: whoever writes rows that point to it need not wait.
        rows = self.model._base_manager.using(alias).select_for_update(no_key=True)
        rows.filter(pk=found.pk).values_list("pk").first()
        return super().get_object(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_data:
            obj.save(update_fields=[*form.changed_data, "updated_at"])


@contextmanager
def told() -> Iterator[None]:
    """Turn what the store refuses into an error of a field, for people who do not program.

    Raises:
        ValidationError: the store refuses what was given.
    """
    try:
        yield
    except InvalidContent as error:
        text = NO_OBJECT.sub(_object_wanted, str(error).replace("The content of a memory", "This"))
        raise ValidationError(SURROGATE.sub("take it out.", text)) from error


def _object_wanted(found: re.Match[str]) -> str:
    return f'is {KINDS.get(found[1], "a text")}: write a JSON object, such as {{"key": "value"}}'


def _unix(text: Any) -> Any:
    return text.replace("\r\n", "\n") if isinstance(text, str) else text
