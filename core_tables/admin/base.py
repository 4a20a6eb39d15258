"""What the lists and forms of all core tables share."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from core_tables.admin.json_field import JSONFormField
from core_tables.admin.paginator import BoundedPaginator

PER_PAGE = 50
# Rows for one action: a confirmation sends an id each, and Django takes a thousand fields.
AT_ONCE = 900


class RecordAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A table that may have millions of rows."""

    paginator = BoundedPaginator
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
        rows = super().get_queryset(request)
        names = self.list_select_related
        # Without names, Django would follow every key that is never empty.
        return rows.select_related(*names) if isinstance(names, list | tuple) and names else rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Refuse to look into JSON by the address: it scans, and would tell an agent's secrets letter by letter."""
        try:
            field = self.model._meta.get_field(lookup.split("__")[0])
        except FieldDoesNotExist:
            field = None
        return not isinstance(field, models.JSONField) and super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

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
