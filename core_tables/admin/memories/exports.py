"""Memories as a file that is written while it is read: a bounded number of rows is held at a time."""

import csv
import datetime
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import F, Func, IntegerField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path, reverse

from core_tables.admin.memories.rows import LISTED, NAMED
from core_tables.admin.moments import today
from core_tables.admin.reach import veiled
from core_tables.admin.shown import text_of
from core_tables.admin.stranded import kept
from core_tables.admin.streaming import streamed
from core_tables.models import Memory
from core_tables.querysets.base import Cursor

IDS = 1_000
# Rows that are loaded together: so many, or fewer when they are this large.
ROWS, BYTES = 200, 2**22
REFERENCES = ("agent", "room", "entity")

JSON_COLUMNS = (
    "id",
    "created_at",
    "updated_at",
    "expires_at",
    "type",
    "agent_id",
    "agent",
    "room_id",
    "room",
    "entity_id",
    "entity",
    "world_id",
    "unique",
    "content",
    "metadata",
)
CSV_COLUMNS = (*JSON_COLUMNS[:-2], "text", "content", "metadata")
# Where a spreadsheet would see a formula, or the way into one: where a cell begins, and where one would begin for a
# program that ends cells at other marks than ours. Nothing of this is in JSON but inside of its strings.
FORMULA = re.compile(
    r"^(?=[\t\r\n])"
    r"|(?:^|(?<=[;|\t-\r\x85\u2028\u2029]))"
    r"(?=[ \"\xa0\u2000-\u200b\u202f\u205f\u3000\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20])"
)
# Ends of lines to many programs, but not to JSON, which leaves them as they are.
LINE_ENDS = "\x85\u2028\u2029"


class MemoryExports(admin.ModelAdmin):  # type: ignore[type-arg]
    """The list as a file: its filters and its search in the address, all of its pages in the answer."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.export_view)
        name = "core_tables_memory_export"
        own = [path(f"export.{kind}", view, {"kind": kind}, name=f"{name}_{kind}") for kind in FORMATS]
        return [*own, *super().get_urls()]

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponse | StreamingHttpResponse:
        """Answer with the file.

        Raises:
            PermissionDenied: for whoever may not see memories.
        """
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            page = reverse("admin:core_tables_memory_changelist", current_app=self.admin_site.name)
            return HttpResponseRedirect(f"{page}?e=1")
        mime, written = FORMATS[kind]
        batches = loaded(changelist.queryset, searched=bool(changelist.query))
        lines = written(veiled(request, batch) for batch in batches)
        name = f"memories-{today():%Y-%m-%d}.{kind}"
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(
            streamed(request, lines), content_type=f"{mime}; charset=utf-8", headers=disposition
        )


def loaded(rows: Any, *, searched: bool) -> Iterator[list[Memory]]:
    """Yield memories in lists, the newest first, or in the order of a search."""
    for batch in _batches(_ids(rows, searched=searched)):
        wanted = kept(Memory.objects.all()).select_related(*REFERENCES)
        wanted = wanted.only(*_own_fields(), *(name for name in (*LISTED, *NAMED) if "__" in name))
        found = wanted.in_bulk(batch)
        yield [found[key] for key in batch if key in found]


def as_jsonl(batches: Iterator[list[Memory]]) -> Iterator[str]:
    """Yield a JSON object a line."""
    for memories in batches:
        yield "".join(f"{_json(_values(memory, JSON_COLUMNS))}\n" for memory in memories)


def as_csv(batches: Iterator[list[Memory]]) -> Iterator[str]:
    """Yield rows of CSV after a header; what a spreadsheet would run begins with an apostrophe."""
    yield _csv([CSV_COLUMNS])
    for memories in batches:
        yield _csv([_cell(value) for value in _values(memory, CSV_COLUMNS).values()] for memory in memories)


FORMATS: dict[str, tuple[str, Callable[[Iterator[list[Memory]]], Iterator[str]]]] = {
    "jsonl": ("application/jsonl", as_jsonl),
    "csv": ("text/csv", as_csv),
}


def _ids(rows: Any, *, searched: bool) -> Iterator[tuple[UUID, int]]:
    """Yield ids, with the bytes that each row has about.

    From page to page by the last row's place, since a cursor of the server would have it write the whole result down.
    """
    size = Func(F("content"), function="pg_column_size", output_field=IntegerField())
    rows = rows.select_related(None).annotate(_size=size)
    if searched:
        yield from rows.values_list("pk", "_size")
        return
    rows, place = rows.newest().values_list("pk", "_size", F("created_at")), None
    while page := list((rows.before(place) if place else rows)[:IDS]):
        yield from ((key, size) for key, size, _ in page)
        place = Cursor(page[-1][2], page[-1][0])


def _batches(ids: Iterator[tuple[UUID, int]]) -> Iterator[list[UUID]]:
    batch: list[UUID] = []
    weight = 0
    for key, size in ids:
        if batch and (len(batch) == ROWS or weight + size > BYTES):
            yield batch
            batch, weight = [], 0
        batch.append(key)
        weight += size
    if batch:
        yield batch


def _own_fields() -> list[str]:
    return [field.name for field in Memory._meta.concrete_fields]


def _values(memory: Memory, columns: tuple[str, ...]) -> dict[str, Any]:
    return {name: _value(memory, name) for name in columns}


def _value(memory: Memory, name: str) -> Any:
    if name == "text":
        return text_of(memory.content)
    value = getattr(memory, name)
    return str(value) if name in REFERENCES and value is not None else value


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=_plain)
    for end in LINE_ENDS:
        text = text.replace(end, f"\\u{ord(end):04x}")
    return text


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime.datetime) else str(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = _json(value) if isinstance(value, dict | list | bool) else _plain(value)
    return FORMULA.sub("'", text)


def _csv(rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(rows)
    return written.getvalue()
