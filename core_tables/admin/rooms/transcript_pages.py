"""The pages of a room's transcript, and the whole of it as a file."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from core_tables.admin.moments import plain
from core_tables.admin.reach import may_view
from core_tables.admin.rooms.bubbles import Bubble
from core_tables.admin.rooms.transcript import Beside, encoded, moment, page_of, said
from core_tables.admin.shown import brief
from core_tables.admin.streaming import streamed
from core_tables.models import Entity, Log, Memory, Message, Room
from core_tables.querysets.base import Cursor, Page

TEMPLATE = "admin/core_tables/room/transcript.html"
AT_A_TIME = 500
LINE = ("id", "created_at", "author_id", "author", "content", "in_reply_to_id", "source_type", "source_id", "metadata")


class TranscriptPages(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages of the rooms' admin for whoever may see rooms and messages."""

    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, "core_tables_room_transcript"
        own = [
            path("<uuid:key>/transcript/", view(self.transcript_view), name=name),
            path("<uuid:key>/transcript.jsonl", view(self.transcript_export), name=f"{name}_export"),
        ]
        return [*own, *super().get_urls()]

    @method_decorator(require_safe)
    def transcript_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Show the page of a transcript that the address asks for: see `page_of()`.

        Raises:
            PermissionDenied: for whoever may not see rooms, or messages.
            Http404: there is no such room, or it has no such message.
            BadRequest: the address makes no sense.
        """
        room = self._room(request, key)
        if (at := request.GET.get("at")) and not _is_moment(at):
            self.message_user(request, f"“{brief(at, 40)}” is no date: write 2025-12-31.", messages.ERROR)
            return HttpResponseRedirect(request.path)
        try:
            page = page_of(said(room), request.GET.dict())
        except ValueError as error:
            raise BadRequest(str(error)) from error
        except Message.DoesNotExist as error:
            raise Http404("The room has no such message.") from error
        here = frozenset(message.pk for message in page)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Transcript of {brief(str(room), 60)}",
            "opts": self.opts,
            "room": room,
            "bubbles": [Bubble.of(message, room, here) for message in page],
            "moment": _at(page, moment(at)) if at else None,
            "older": encoded(page.older) if page.older else "",
            "newer": encoded(page.newer) if page.newer else "",
            "beside": Beside.of(room, page, memories=may_view(request, Memory), logs=may_view(request, Log)),
            "may_view_entities": may_view(request, Entity) and self.admin_site.is_registered(Entity),
            "has_log_pages": self.admin_site.is_registered(Log),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, TEMPLATE, context)

    @method_decorator(require_safe)
    def transcript_export(self, request: HttpRequest, key: UUID) -> StreamingHttpResponse:
        """Answer with all messages of a room, oldest first, a JSON object a line.

        Raises:
            PermissionDenied, Http404: as with the pages.
        """
        lines = streamed(request, _lines(self._room(request, key)))
        headers = {"Content-Disposition": f'attachment; filename="transcript-{key}.jsonl"'}
        return StreamingHttpResponse(lines, content_type="application/jsonl; charset=utf-8", headers=headers)

    def _room(self, request: HttpRequest, key: UUID) -> Room:
        if not (self.has_view_or_change_permission(request) and may_view(request, Message)):
            raise PermissionDenied
        room: Room | None = self.get_queryset(request).filter(pk=key).first()
        if room is None:
            raise Http404(f"There is no room {key}.")
        return room


def _at(page: Page[Any], at: datetime) -> UUID | None:
    """Return the first message from a moment on; where none was said any more, the last."""
    later = (message.pk for message in page if message.created_at >= at)
    return next(later, page.rows[-1].pk if page.rows else None)


def _is_moment(text: str) -> bool:
    try:
        moment(text)
    except ValueError:
        return False
    return True


def _lines(room: Room) -> Iterator[str]:
    rows, place = Message.objects.transcript(room), Cursor(plain(datetime.min.replace(tzinfo=UTC)), UUID(int=0))
    while page := rows.page(after=place, size=AT_A_TIME):
        yield "".join(
            f"{json.dumps({name: getattr(message, name) for name in LINE}, default=str)}\n" for message in page
        )
        place = Cursor.of(page[-1])
