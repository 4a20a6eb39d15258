"""The page of each PostgreSQL database, its diagram, and a run from it where a project allows that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import update_wrapper
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.db import connections, transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html

from agentsql import conf, graphviz
from agentsql.admin import progress
from agentsql.admin.overview import Overview, look_at
from agentsql.checks.project import postgres
from agentsql.diagram import of_models
from agentsql.discover import discover
from agentsql.exceptions import AgentSQLError
from agentsql.models import Schema

MARK = "the lines of the run come here"  # in the rendered page, where what streams is put
# For nginx, and for GZipMiddleware, which leaves alone what says how it is encoded.
UNBUFFERED = {"X-Accel-Buffering": "no", "Content-Encoding": "identity"}
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@admin.register(Schema)
class SchemaAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows, and adds, changes and deletes nothing: there are no rows."""

    class Media:
        css = {"all": ["agentsql/schema.css"]}

    def get_urls(self) -> list[URLPattern]:
        """Return the pages under the names that the admin's menu and log ask for."""
        pages: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "changelist": ("", self.first_page),
            "change": ("<path:object_id>/change/", self.page),
            "history": ("<path:object_id>/history/", self.history_view),
            "diagram": ("<path:object_id>/diagram.svg", self.diagram),
            "run": ("<path:object_id>/run/", self.run),
        }
        return [
            path(route, self._wrapped(view), name=f"agentsql_schema_{name}") for name, (route, view) in pages.items()
        ]

    def _wrapped(self, view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        """Return a view for the site's people, outside of ATOMIC_REQUESTS: no look and no run is possible inside."""

        def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            return self.admin_site.admin_view(view)(request, **kwargs)

        update_wrapper(wrapped, view)
        for alias in connections:
            wrapped = transaction.non_atomic_requests(using=alias)(wrapped)
        return wrapped

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        return False

    def get_object(self, _: HttpRequest, object_id: str, *__: Any) -> Schema | None:
        """Return the schema of a PostgreSQL database."""
        return Schema(alias=object_id) if object_id in postgres() else None

    def first_page(self, request: HttpRequest) -> HttpResponseBase:
        """Show the first database: most projects have one."""
        found = postgres()
        return self._page(request, found[0] if found else "")

    def page(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._page(request, self._alias(request, object_id))

    def diagram(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Draw what the models want, an image: nothing in it can run, whatever it holds."""
        connection = connections[self._alias(request, object_id)]
        try:
            plugins = discover(connection, named=conf.load().plugins)
            drawn = graphviz.svg(graphviz.dot(of_models(plugins, connection)))
        except (AgentSQLError, ImproperlyConfigured) as error:
            raise Http404(str(error)) from error
        return HttpResponse(drawn, content_type="image/svg+xml", headers={"Content-Security-Policy": SVG_POLICY})

    def run(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Show what would run; run it when that very plan is confirmed."""
        alias = self._alias(request, object_id)
        if not _may_run(request):
            raise PermissionDenied
        overview, error = _looked(alias)
        confirmed = request.POST.get("plan") if request.method == "POST" else None
        if overview is not None and overview.sql and confirmed == overview.digest:
            return self._running(request, alias)
        facts = {"overview": overview, "error": error, "changed": confirmed is not None}
        return self._shown(request, "confirm", alias, **facts)

    def _alias(self, request: HttpRequest, object_id: str) -> str:
        """Return the alias that an address is about, for somebody who may look."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if self.get_object(request, alias := unquote(object_id)) is None:
            raise Http404(f"No PostgreSQL database of this project has the alias {alias!r}.")
        return alias

    def _page(self, request: HttpRequest, alias: str) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        overview, error = _looked(alias) if alias else (None, "No database of this project is PostgreSQL.")
        facts = {"overview": overview, "error": error, "may_run": _may_run(request), "drawn": graphviz.available()}
        return self._shown(request, "schema", alias, **facts)

    def _running(self, request: HttpRequest, alias: str) -> HttpResponseBase:
        """Run, and send the page piece by piece meanwhile."""
        self.log_change(request, Schema(alias=alias), "Started automigrate.")

        def note(verdict: progress.Verdict) -> None:
            self.log_change(request, Schema(alias=alias), f"automigrate: {verdict.words}")

        context = self._context(request, alias, mark=MARK)
        before, _, after = render_to_string("admin/agentsql/running.html", context, request).partition(MARK)
        pieces = _pieces(before, progress.start(alias, note), after)
        streamed = _asynchronous(pieces) if isinstance(request, ASGIRequest) else pieces
        return StreamingHttpResponse(streamed, headers=UNBUFFERED)

    def _shown(self, request: HttpRequest, name: str, alias: str, **facts: Any) -> TemplateResponse:
        return TemplateResponse(request, f"admin/agentsql/{name}.html", self._context(request, alias, **facts))

    def _context(self, request: HttpRequest, alias: str, **facts: Any) -> dict[str, Any]:
        request.current_app = self.admin_site.name
        return {
            **self.admin_site.each_context(request),
            "title": f"Schema of {alias}" if alias else "Schema",
            "opts": self.opts,
            "media": self.media,
            "alias": alias,
            "quoted": quote(alias),
            "aliases": [(one, quote(one)) for one in postgres()],
            **facts,
        }


def _may_run(request: HttpRequest) -> bool:
    try:
        allowed = conf.load().admin_apply
    except ImproperlyConfigured:
        return False
    return allowed and bool(getattr(request.user, "is_superuser", False))


def _looked(alias: str) -> tuple[Overview | None, str]:
    """Return what a database is like, or why that can't be told."""
    try:
        return look_at(alias), ""
    except (AgentSQLError, ImproperlyConfigured) as error:
        return None, str(error)


def _pieces(before: str, run: Iterator[str | progress.Verdict], after: str) -> Iterator[str]:
    yield f'{before}<pre class="agentsql-lines agentsql-running" tabindex="0">'
    for said in run:
        if isinstance(said, progress.Verdict):
            kind = "success" if said.good else "error"
            yield format_html('</pre><ul class="messagelist" id="verdict" role="status"><li class="{}">', kind)
            yield format_html("{}</li></ul>", said.words)
        else:
            yield format_html("{}", said or "\u200b")
    yield after


async def _asynchronous(pieces: Iterator[str]) -> AsyncIterator[str]:
    """Give pieces to an asynchronous server as they come: of a plain iterator it would wait for the last."""
    following = sync_to_async(lambda: next(pieces, None), thread_sensitive=False)
    while (piece := await following()) is not None:
        yield piece
