"""Whose rows somebody may see: asked for whatever a page shows besides its own subject."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.widgets import ForeignKeyRawIdWidget
from django.contrib.auth import get_permission_codename
from django.db import models
from django.http import HttpRequest

from core_tables.admin.stranded import is_stranded


def may_view(request: HttpRequest, model: type[models.Model]) -> bool:
    """Return whether somebody may see the rows of a model; who may change them may."""
    user: Any = request.user
    names = (get_permission_codename(action, model._meta) for action in ("view", "change"))
    return any(user.has_perm(f"{model._meta.app_label}.{name}") for name in names)


def veiled(request: HttpRequest, rows: Iterable[Any]) -> list[Any]:
    """Return rows for display: of what they point to, somebody who may not see it learns the id and nothing else.

    So does everybody where it is gone. They are not to be saved, nor asked about what they point to. This asks the
    database nothing.
    """
    found = list(rows)
    for row in found:
        for key in row._meta.fields:
            there = row.__dict__.get(key.attname) if key.is_relation else None
            if there is not None and (is_stranded(row, key) or not may_view(request, key.related_model)):
                key.set_cached_value(row, nameless(key.related_model, **{key.target_field.attname: there}))
    return found


def nameless(model: type[models.Model], **key: Any) -> Any:
    """Return a row that is called by its id."""
    has_name = any(field.name == "name" for field in model._meta.fields)
    return model(**key, **({"name": str(*key.values())} if has_name else {}))


class RowId(ForeignKeyRawIdWidget):
    """A box for the id of a row, with its name beside it for those who may see it."""

    def __init__(self, key: Any, site: Any, request: HttpRequest, **options: Any) -> None:
        super().__init__(key.remote_field, site, **options)
        self.is_named = may_view(request, key.remote_field.model)

    def label_and_url_for_value(self, value: Any) -> tuple[str, str]:
        return super().label_and_url_for_value(value) if self.is_named else ("", "")
