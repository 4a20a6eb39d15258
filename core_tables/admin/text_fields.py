"""Text columns in forms."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db import models
from django.http import HttpRequest


class TextFields(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin whose forms leave NULL as NULL, and give a line to what is no more than a name."""

    one_line: tuple[str, ...] = ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, models.TextField) and not db_field.choices:
            if db_field.null:
                # Django does so for a CharField; an empty text would stand where a constraint looks for NULL.
                kwargs["empty_value"] = None
            if db_field.name in self.one_line:
                kwargs["widget"] = AdminTextInputWidget()
        return super().formfield_for_dbfield(db_field, request, **kwargs)
