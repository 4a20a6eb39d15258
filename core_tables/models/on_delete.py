"""What becomes of a row when the row that it points to is deleted: decided here for all the core tables.

Other programs delete from these tables too, so the rule has to stand in the database. Django 6.1 has
`DB_CASCADE` for that, but it is all or nothing: no plugin could then point at a core table with an ordinary
`models.CASCADE` or a plain `ManyToManyField` (fields.E323), nor have a key with a Python-side rule beside one
with a database-side rule (models.E050). So ours are Django's own rules, which send signals and reach the rows
of every plugin, and they name the SQL clause besides.

Django 6.1 asks for the clause when it writes DDL. 5.2 does not: there, only Django applies the rule.
"""

from collections.abc import Callable
from typing import Any

from django.db import models
from django.utils.deconstruct import deconstructible


@deconstructible
class OnDelete:
    # Else the collector loads the rows to see whether there are any, where one DELETE would do.
    lazy_sub_objs = True

    def __init__(self, name: str, rule: Callable[..., None], clause: str) -> None:
        self.__name__ = name
        self._rule = rule
        self._clause = clause

    def __call__(self, *args: Any) -> None:
        self._rule(*args)

    def on_delete_sql(self, schema_editor: object) -> str:  # noqa: ARG002 - Django passes its editor
        return self._clause


CASCADE = OnDelete("CASCADE", models.CASCADE, " ON DELETE CASCADE")
SET_NULL = OnDelete("SET_NULL", models.SET_NULL, " ON DELETE SET NULL")
