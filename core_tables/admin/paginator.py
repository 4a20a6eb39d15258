"""Pages of long tables, counted only as far as anybody turns them."""

from functools import cached_property

from django.core.paginator import Paginator
from django.db.models import QuerySet

FAR = 5_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """A paginator that stops counting, and offering pages, after FAR rows: filters lead further than pages do."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, FAR at most."""
        rows = self.object_list
        if isinstance(rows, QuerySet):
            # The ids alone, or the server works out for each row whatever the list shows of it.
            return rows.order_by().values("pk")[:FAR].count()
        return min(len(rows), FAR)

    @property
    def told(self) -> str:
        """The number of rows, for people."""
        return f"{self.count:,}"

    @property
    def is_cut(self) -> bool:
        """Whether there may be more rows than are counted."""
        return self.count >= FAR
