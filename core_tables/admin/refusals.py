"""What the database says against a row: told to people in words, and never with the row in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import DatabaseError
from django.forms import ModelForm

# By the first two characters of SQLSTATE: errors of data, violated constraints, limits of the server.
OF_THE_ROW = {"22", "23", "54"}
LIMIT = "54"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a row was not written."""

    code: str
    text: str

    @classmethod
    def of(cls, error: DatabaseError) -> "Refusal | None":
        """Return what is wrong with the row, None where the error is of something else."""
        cause = error.__cause__
        code = str(getattr(cause, "sqlstate", None) or "")
        if not isinstance(cause, psycopg.Error) or code[:2] not in OF_THE_ROW:
            return None
        return cls(code=code, text=_said(cause))

    def __str__(self) -> str:
        if self.code.startswith(LIMIT):
            return f"This is too long for the database: make it shorter ({self.text})."
        return f"The database refuses this: {self.text}."

    def field(self, form: "ModelForm[Any]") -> str | None:
        """Return the field that it is about, as far as can be told: with some limits PostgreSQL names no index."""
        meta = form._meta.model._meta
        is_limit = self.code.startswith(LIMIT)
        found = [one for one in (*meta.indexes, *meta.constraints) if f'"{one.name}"' in self.text]
        indexes = found or (meta.indexes if is_limit else ())
        names = {name.lstrip("-") for one in indexes for name in getattr(one, "fields", ())} & form.fields.keys()
        if len(names) > 1 and not is_limit:
            return None
        return max(sorted(names), key=lambda name: len(str(form[name].data)), default=None)


def without_the_row(write: Callable[[], Any]) -> None:
    """Write a row with secrets in it: an error comes without them, as a report of it shows the variables of all frames.

    Raises:
        Exception: what the write raises, with neither its frames nor the details that PostgreSQL gives.
    """
    try:
        write()
    except Exception as error:  # noqa: BLE001 - raised below
        found = error
    else:
        return
    # Out here, where the error that had the frames is not the context of this one.
    raise _bare(found)


def _bare(error: Exception) -> Exception:
    cause = error.__cause__
    error.__cause__ = error.__context__ = None
    if isinstance(cause, psycopg.Error):
        error.args = (_said(cause),)
        error.__cause__ = type(cause)(*error.args)
    return error.with_traceback(None)


def _said(error: psycopg.Error) -> str:
    # The details, which follow, quote the row.
    return error.diag.message_primary or str(error).partition("\n")[0]
