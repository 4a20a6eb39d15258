"""Deleting rows that a million others may point to: confirmed by numbers, and done by statements."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import messages
from django.db import models, router, transaction
from django.db.models.deletion import ProtectedError, RestrictedError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.text import capfirst

from core_tables.admin.consequences import Consequences
from core_tables.admin.links import linked, page_of
from core_tables.admin.shown import brief
from core_tables.models import Embedding

NAMED = 50


class BoundedDeletion:
    """For an admin of rows whose own `delete()` loads nothing: World, Room, Entity, Agent, and querysets of them."""

    admin_site: Any
    model: Any
    message_user: Any

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, Any], set[str], Any]:
        """Return what Django's confirmations ask for: names, numbers, missing rights, and what forbids it."""
        chosen = list(objs)
        if not chosen:
            return [], {}, set(), []
        rows = self.model._base_manager.using(router.db_for_write(self.model))
        going = Consequences(rows.filter(pk__in=[row.pk for row in chosen]))
        too = going.amounts
        numbers = {str(self.model._meta.verbose_name_plural): f"{len(chosen):,}"}
        numbers |= {str(kind._meta.verbose_name_plural): str(amount) for kind, amount in too.items()}
        lacking = {str(kind._meta.verbose_name) for kind in too if not self._may_delete(kind, request)}
        if not all(self._may_delete(self.model, request, row) for row in chosen):
            lacking.add(str(self.model._meta.verbose_name))
        forbidding = [self._named(row) for row in going.forbidding()]
        return list(self._names(chosen)), numbers, lacking, forbidding

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:  # noqa: ARG002
        """Delete the rows that were confirmed and logged, and no others that have come to match."""
        rows = self.model._default_manager.using(router.db_for_write(self.model))
        rows.filter(pk__in=[row.pk for row in queryset]).delete()

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = super().delete_view  # type: ignore[misc]
        response: HttpResponse = self._unless_forbidden(request, lambda: view(request, *args, **kwargs))
        return response

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        act = super().response_action  # type: ignore[misc]

        def act_at_once() -> Any:
            # Or the log would tell of a deletion that failed.
            with transaction.atomic(using=router.db_for_write(self.model)):
                return act(request, *args, **kwargs)

        response: HttpResponse | None = self._unless_forbidden(request, act_at_once)
        return response

    def _unless_forbidden(self, request: HttpRequest, act: Callable[[], Any]) -> Any:
        """Tell what forbids a deletion that the confirmation did not foresee."""
        try:
            return act()
        except (ProtectedError, RestrictedError) as error:
            self.message_user(request, f"Nothing was deleted. {error.args[0]}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def _names(self, rows: list[Any]) -> Iterator[Any]:
        yield from map(self._named, rows[:NAMED])
        if len(rows) > NAMED:
            yield f"and {len(rows) - NAMED:,} more"

    def _named(self, row: Any) -> Any:
        opts = row._meta
        name = brief(str(row)) or str(row.pk)
        page = page_of(f"{opts.model_name}_change", row.pk, site=self.admin_site.name)
        return format_html("{}: {}", capfirst(opts.verbose_name), linked(page, name))

    def _may_delete(self, model: type[models.Model], request: HttpRequest, row: Any = None) -> bool:
        """Ask as Django does: of models that the site does not know, nobody asks. A vector is a part of its memory."""
        if model is Embedding or not self.admin_site.is_registered(model):
            return True
        return bool(self.admin_site.get_model_admin(model).has_delete_permission(request, row))
