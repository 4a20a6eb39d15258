"""Messages: the page of one, and the list of a room's."""

from typing import Any

from django.contrib import admin
from django.db.models.functions import Left

from core_tables.admin.base import RecordAdmin
from core_tables.admin.deletion import BoundedDeletion
from core_tables.admin.editing import ChangedOnly
from core_tables.admin.rooms.by_room import ByRoom
from core_tables.admin.shown import brief
from core_tables.admin.text_fields import TextFields
from core_tables.admin.unquoted import Unquoted
from core_tables.models import Message

WORDS = 400  # characters
NAME = 60


@admin.register(Message)
class MessageAdmin(Unquoted, ByRoom, TextFields, ChangedOnly, BoundedDeletion, RecordAdmin):
    """What was said in a room; its transcript reads better."""

    fieldsets = [
        (None, {"fields": ["content", "author", "room", "in_reply_to"]}),
        ("Source", {"fields": ["source_type", "source_id", "raw_message", "metadata"]}),
        ("About", {"fields": ["id", "created_at", "updated_at"]}),
    ]
    one_line = ("source_type", "source_id")
    list_display = ("text", "author_name", "created_at")
    list_select_related = ("author", "room")
    ordering = ("-created_at",)

    def listed(self, rows: Any) -> Any:
        names = ("room", "created_at", "author__names")
        found = list(rows.select_related("author").only(*names).annotate(words=Left("content", WORDS)))
        for message in found:
            # The box to choose it with says a message's name, which begins its text: that is not to be loaded again.
            message.content = message.words
        return found

    def logged(self, row: Any) -> Message:
        return Message(pk=row.pk, content=f"message {row.pk}")

    @admin.display(description="text")
    def text(self, message: Message) -> str:
        return brief(message.content) or "(no text)"

    @admin.display(description="author")
    def author_name(self, message: Message) -> str:
        return brief(str(message.author), NAME) if message.author else "—"
