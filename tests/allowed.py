"""Everything the engine may ever say to a database, as a short list that each statement of the suite is held against.

Names and literals are taken out first, so that nothing can hide in them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db.backends.utils import CursorWrapper

TOKENS = re.compile(
    r"""
    (\$\w*\$).*?\1                                  # a body in dollars
  | \b[eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*'    # a literal
  | "(?:[^"]|"")*"(?:\."(?:[^"]|"")*")*             # a name, maybe with its schema
  | \s+
    """,
    re.VERBOSE | re.DOTALL,
)
PART = r"""(?:
    ADD\ COLUMN\ .+
  | ADD\ (?:CONSTRAINT\ N\ )?(?:UNIQUE|PRIMARY\ KEY|CHECK|FOREIGN\ KEY|EXCLUDE)\b.+
  | VALIDATE\ CONSTRAINT\ N
  | ALTER\ COLUMN\ N\ SET\ (?:DEFAULT\ .+|NOT\ NULL)
  | DROP\ CONSTRAINT\ (?:IF\ EXISTS\ )?N
)"""
ALLOWED = re.compile(
    rf"""(?:
    (?:SELECT|WITH)\ .+
  | SAVEPOINT\ .+ | RELEASE\ SAVEPOINT\ .+
  | CREATE\ (?:EXTENSION|SCHEMA)\ IF\ NOT\ EXISTS\ N
  | CREATE\ (?:TABLE|(?:UNIQUE\ )?INDEX(?:\ CONCURRENTLY)?)\ N\ .+
  | COMMENT\ ON\ (?:TABLE|COLUMN)\ N\ IS\ L
  | ALTER\ TABLE\ (?:ONLY\ )?N\ {PART}(?:,\ {PART})*
  | ALTER\ INDEX\ N\ ATTACH\ PARTITION\ N
  | DROP\ INDEX\ (?:(?:CONCURRENTLY\ )?IF\ EXISTS\ )?N(?:,\ N)*
  | LOCK\ TABLE\ N\ IN\ [A-Z ]+\ MODE
  | UPDATE\ N\ SET\ N\ =\ DEFAULT\ WHERE\ N\ IS\ NULL
  | DO\ B
    )""",
    re.VERBOSE | re.DOTALL,
)
LOSSES = re.compile(
    r"\b(TRUNCATE|DELETE|RENAME|CASCADE|GRANT|REVOKE|ALTER COLUMN N (SET DATA )?TYPE|DROP (?!INDEX\b|CONSTRAINT\b))"
)
WIDER = r"(?:text|(?:character|bit) varying(?:\(\d+\))?|numeric(?:\(\d+,-?\d+\))?)"
WIDENING = re.compile(rf"ALTER TABLE N ALTER COLUMN N TYPE {WIDER}(?: COLLATE N)?|ANALYZE N \(N(?:, N)*\)")
WIDENING_IN_UTC = re.compile(
    r"DECLARE zone text := current_setting\(L\); BEGIN SET LOCAL TimeZone TO L; "
    r"ALTER TABLE N ALTER COLUMN N TYPE timestamp with time zone; "
    r"PERFORM set_config\(L, zone, true\); END"
)
wishes: list[str] = []  # what the test that runs has asked for
BODY = re.compile(r"DO (\$\w*\$)(.*)\1", re.DOTALL)
BACKFILL = re.compile(r"UPDATE ONLY N AS filled SET N = DEFAULT WHERE filled\.N IS NULL AND filled\.ctid = ANY")


def skeleton(sql: str) -> str:
    """Return a statement with names as N, literals as L, bodies as B and single blanks."""

    def token(match: re.Match[str]) -> str:
        first = match[0][0]
        return {"$": "B", "e": "L", "E": "L", "'": "L", '"': "N"}.get(first, " ")

    return TOKENS.sub(token, sql).strip()


def is_allowed(sql: str, *, widen: bool = False) -> bool:
    """Tell whether a statement only reads, adds, or takes back what a run itself has begun; `widen`: or widens."""
    bones = skeleton(sql)
    if bones == "DO B":
        body = skeleton(BODY.fullmatch(sql)[2])
        if widen and WIDENING_IN_UTC.fullmatch(body):
            return True
        return BACKFILL.search(body) is not None and LOSSES.search(body) is None
    if widen and WIDENING.fullmatch(bones):
        return True
    known = ALLOWED.fullmatch(bones) is not None and ";" not in bones
    return known and LOSSES.search(re.sub(r"ON DELETE (CASCADE|SET NULL|SET DEFAULT)", "", bones)) is None


@contextmanager
def widening() -> Iterator[None]:
    """Let the type changes that --widen may make pass while the block lasts: no other test may ever see one."""
    wishes.append("widen")
    try:
        yield
    finally:
        wishes.remove("widen")


@contextmanager
def audited() -> Iterator[None]:
    """Hold each statement of the engine against the list, before it is sent."""
    plain, wrapped = psycopg.Cursor.execute, CursorWrapper.execute

    def check(sql: object) -> None:
        sender = sys._getframe(2).f_globals["__name__"]
        if sender.startswith("agentsql.") and not sender.startswith("agentsql.backends."):
            assert is_allowed(str(sql), widen="widen" in wishes), f"{sender} sends what no run may: {sql}"

    def execute(self: psycopg.Cursor, query: object, *args: object, **options: object) -> object:
        check(query)
        return plain(self, query, *args, **options)

    def execute_wrapped(self: CursorWrapper, sql: object, params: object = None) -> object:
        check(sql)
        return wrapped(self, sql, params)

    psycopg.Cursor.execute, CursorWrapper.execute = execute, execute_wrapped
    try:
        yield
    finally:
        psycopg.Cursor.execute, CursorWrapper.execute = plain, wrapped
