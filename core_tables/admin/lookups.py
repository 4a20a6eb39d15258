"""What the address of a list may ask for: Django's own lists let it look into any column, and along any key."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.filters import FieldListFilter, SimpleListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.widgets import url_params_from_lookup_dict
from django.http import HttpRequest


def of_filters(admin: Any, request: HttpRequest | None) -> Iterator[str]:
    """Yield the parameters that a list's own filters, and its links by date, have in the address."""
    for one in admin.get_list_filter(request):
        if isinstance(one, type) and issubclass(one, SimpleListFilter):
            yield str(one.parameter_name)
        else:
            yield from _of_field(admin, request, one)
    if admin.date_hierarchy:
        yield from (f"{admin.date_hierarchy}__{part}" for part in ("year", "month", "day"))


def of_keys(model: Any) -> Iterator[tuple[str, str]]:
    """Yield the parameters and values by which forms of other models open this list: limits of their keys."""
    for limit in model._meta.related_fkey_lookups:
        yield from url_params_from_lookup_dict(limit() if callable(limit) else limit).items()


def _of_field(admin: Any, request: Any, one: Any) -> list[str]:
    name, kind = one if isinstance(one, list | tuple) else (one, FieldListFilter.create)
    field = get_fields_from_path(admin.model, name)[-1]
    spec: Any = kind(field, request, {}, admin.model, admin, field_path=name)
    return [str(parameter) for parameter in spec.expected_parameters()]
