"""The admin's log without the words of what it tells of: it outlives them, also where they were to be forgotten."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest


class Unquoted:
    """For an admin of rows that are called by their text: the log knows them by what `logged()` returns."""

    def logged(self, row: Any) -> Any:
        """Return a row of the same id, whose name may stay in the log."""
        raise NotImplementedError

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_addition(request, self.logged(obj), message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_change(request, self.logged(obj), message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> Any:
        return super().log_deletions(request, [self.logged(row) for row in queryset])  # type: ignore[misc]
