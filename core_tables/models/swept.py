from django.db import models, router, transaction

from core_tables.querysets.sweep import sweep


class Swept(models.Model):
    """A row that may have a great many others pointing to it: they are deleted by statements, and never loaded."""

    class Meta:
        abstract = True

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Delete the row and all that goes with it, as Django does; return the same numbers."""
        using = using or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            row = type(self)._base_manager.using(using).filter(pk=self.pk)
            # From here on nobody can point to it.
            row.select_for_update().values_list("pk").first()
            found = sweep(row)
            found.update(super().delete(using=using, keep_parents=keep_parents)[1])
        return found.total(), dict(found)

    delete.alters_data = True  # type: ignore[attr-defined]
