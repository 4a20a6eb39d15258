"""Delete rows with all that points to them by statements alone: a hundred thousand memories are never loaded.

Django's collector loads the keys of all rows that others point to, and then deletes them a hundred at a time. Where
nobody has to hear of each row, one DELETE for each path from the root does the same. A model that has listeners
for its signals, or a rule other than CASCADE and SET_NULL, is left to the collector, and so is what leads to it.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeVar
from uuid import UUID

from django.db import models, transaction
from django.db.models import signals
from django.db.models.deletion import get_candidate_relations_to_delete

from core_tables.querysets.base import RecordQuerySet, with_keys

M_co = TypeVar("M_co", bound=models.Model, covariant=True)

# What Django leaves to the database, or to nobody.
UNSEEN = {"DO_NOTHING", "DB_CASCADE", "DB_SET_NULL", "DB_SET_DEFAULT"}

# How many of the chosen rows go in one statement: it names each of them.
BATCH = 10_000


def _rule(key: models.ForeignKey[Any, Any]) -> str:
    return getattr(key.remote_field.on_delete, "__name__", "")


def _keys_to(model: type[models.Model]) -> list[models.ForeignKey[Any, Any]]:
    keys = [relation.field for relation in get_candidate_relations_to_delete(model._meta)]  # type: ignore[attr-defined]
    return [key for key in keys if _rule(key) not in UNSEEN]


def _is_nulled_from(model: type[models.Model]) -> bool:
    return any(_rule(key) == "SET_NULL" for key in _keys_to(model))


def _heard(model: type[models.Model]) -> bool:
    return any(signal.has_listeners(model) for signal in (signals.pre_delete, signals.post_delete))


def _sweepable(model: type[models.Model], above: tuple[type[models.Model], ...] = ()) -> bool:
    """Whether nobody has to see a row of this model, or of any that goes with it."""
    if model in above or model._meta.parents or model._meta.private_fields or _heard(model):
        return False
    return all(
        _rule(key) == "SET_NULL" or (_rule(key) == "CASCADE" and _sweepable(key.model, (*above, model)))
        for key in _keys_to(model)
    )


def _statements(rows: models.QuerySet[Any]) -> Iterator[tuple[str, int]]:
    """Delete what points to these rows, the farthest first; yield a label and a number for each statement."""
    # Rows that others let go of come last: by then many of those others are gone and need no UPDATE.
    for key in sorted(_keys_to(rows.model), key=lambda key: _is_nulled_from(key.model)):
        ours = rows.order_by().values(key.target_field.attname)
        pointing = key.model._base_manager.using(rows.db).filter(**{f"{key.name}__in": ours})
        if _rule(key) == "SET_NULL":
            pointing.update(**{key.name: None})
        elif _rule(key) == "CASCADE" and _sweepable(key.model, (rows.model,)):
            yield from _statements(pointing)
            # Django's own name for a DELETE with no collector; delete() would load the keys.
            yield key.model._meta.label, pointing._raw_delete(using=rows.db)


def sweep(rows: models.QuerySet[Any]) -> Counter[str]:
    """Delete what points to these rows, but not the rows; return how many of each model, by Django's labels."""
    found: Counter[str] = Counter()
    for label, count in _statements(rows):
        found[label] += count
    return +found


def _gone(rows: models.QuerySet[Any]) -> Counter[str]:
    """Delete rows that nobody has to see, and what goes with them."""
    return sweep(rows) + Counter({rows.model._meta.label: rows._raw_delete(using=rows.db)})


class SweepingQuerySet(RecordQuerySet[M_co]):
    """Rows that may have a great many others pointing to them."""

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the rows and all that goes with them, as Django does, without loading what goes with them.

        The rows are chosen and locked before any goes, as the filter may look at what goes with them. Only their
        ids are held.
        """
        # What Django refuses, such as a slice, it refuses here: with no row it does nothing else.
        super(SweepingQuerySet, self.none()).delete()
        self._for_write = True
        everything = self.model._base_manager.using(self.db)
        found: Counter[str] = Counter()
        with transaction.atomic(using=self.db):
            keys = self._lock()
            for start in range(0, len(keys), BATCH):
                some = with_keys(everything, keys[start : start + BATCH])
                found += _gone(some) if _sweepable(self.model) else sweep(some)
            if keys and not _sweepable(self.model):
                # All at once, for no listener may hear of a row before another one is protected.
                found.update(with_keys(everything, keys).delete()[1])
        self._result_cache = None
        return found.total(), dict(found)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def _lock(self) -> list[UUID]:
        """Lock the rows, so that nobody points to them any more; return their keys."""
        chosen = self.using(self.db).order_by().values("pk")
        # What is DISTINCT, grouped or joined can't be locked, but the rows that it leads to can.
        rows = self.model._base_manager.using(self.db).filter(pk__in=chosen).select_for_update()
        return list(rows.order_by("pk").values_list("pk", flat=True))
