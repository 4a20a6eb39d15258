"""Links: to pages that a site may not have, for it may have registered some of the tables only, and within lists."""

from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core_tables.admin.shown import brief


def page_of(name: str, *args: Any, site: str) -> str | None:
    """Return the address of a page of the core tables, such as `room_change`; None where the site has none."""
    try:
        return reverse(f"admin:core_tables_{name}", args=args, current_app=site)
    except NoReverseMatch:
        return None


def linked(page: str | None, text: Any) -> SafeString:
    """Return a text as a link, or alone where there is no page."""
    return format_html('<a href="{}">{}</a>', page, text) if page else format_html("{}", text)


def narrowing(name: str, row: Any, length: int = 40) -> SafeString | str:
    """Return a link from the name of a row, up to so many characters, to the part of this list that belongs to it."""
    return format_html('<a href="?{}={}">{}</a>', name, row.pk, brief(str(row), length) or row.pk) if row else "—"
