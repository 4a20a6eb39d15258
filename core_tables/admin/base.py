"""What the lists and forms of all core tables share."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core_tables.admin import lookups
from core_tables.admin.json_field import JSONFormField
from core_tables.admin.moments import moment_in
from core_tables.admin.paginator import BoundedPaginator
from core_tables.admin.reach import RowId, veiled
from core_tables.admin.shown import brief
from core_tables.admin.stranded import kept

PER_PAGE = 50
# Rows for one action: a confirmation sends an id each, and Django takes a thousand fields.
AT_ONCE = 900


class RecordAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A table that may have millions of rows."""

    paginator = BoundedPaginator
    at_once = AT_ONCE
    list_per_page = PER_PAGE
    list_max_show_all = PER_PAGE
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    readonly_fields: ClassVar[Any] = ("id", "created_at", "updated_at")
    formfield_overrides = {models.JSONField: {"form_class": JSONFormField, "widget": AdminTextareaWidget}}

    class Media:
        css = {"all": ["core_tables/admin.css"]}

    def get_raw_id_fields(self) -> tuple[str, ...]:
        """Return the keys to other tables: a list of all their rows to choose from would be endless."""
        return tuple(field.name for field in self.model._meta.fields if isinstance(field, models.ForeignKey))

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.raw_id_fields = self.raw_id_fields or self.get_raw_id_fields()  # type: ignore[misc]

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = kept(super().get_queryset(request))
        names = self.list_select_related
        # Without names, Django would follow every key that is never empty.
        return rows.select_related(*names) if isinstance(names, list | tuple) and names else rows

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the address fills in; of times, those that are some."""
        given = super().get_changeform_initial_data(request)
        times = {field.name for field in self.model._meta.fields if isinstance(field, models.DateTimeField)}
        read = {name: moment_in(str(given.pop(name))) for name in times.intersection(given)}
        return given | {name: moment for name, moment in read.items() if moment}

    def action_checkbox(self, obj: Any) -> SafeString:
        """Return Django's own, called by the beginning of a name that may be long."""
        label = format_html(gettext("Select this object for an action - {}"), brief(str(obj)) or obj.pk)
        box = forms.CheckboxInput({"class": "action-select", "aria-label": label}, lambda _: False)
        return box.render(ACTION_CHECKBOX_NAME, str(obj.pk))

    def get_object(self, request: HttpRequest, *args: Any) -> Any:
        row = super().get_object(request, *args)
        # Where it is to be shown: what is saved knows all of what it points to.
        return veiled(request, [row])[0] if row is not None and request.method == "GET" else row

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow what leads here. Any other lookup scans, and would tell what nobody sees letter by letter."""
        return lookup in lookups.of_filters(self, request) or (lookup, value) in lookups.of_keys(self.model)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name in self.raw_id_fields:
            kwargs.setdefault("widget", RowId(db_field, self.admin_site, request, using=kwargs.get("using")))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """Refuse an action on all rows of a list where they are more than anybody has seen."""
        across = request.POST.get("select_across") not in (None, "", "0")
        if across and len(queryset.values_list("pk")[: AT_ONCE + 1]) > AT_ONCE:
            self.message_user(
                request,
                f"More than {AT_ONCE} {self.opts.verbose_name_plural} are too many for one action: filter the list.",
                messages.ERROR,
            )
            return HttpResponseRedirect(request.get_full_path())
        response: HttpResponse | None = super().response_action(request, queryset, *args, **kwargs)
        return response
