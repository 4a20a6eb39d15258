"""The memories that match words, by PostgreSQL's full-text search over `content->>'text'`.

The rank is `ts_rank` divided by 1 + log(length), normalisation 1 of
https://www.postgresql.org/docs/current/textsearch-controls.html#TEXTSEARCH-RANKING. The configuration is `simple`,
which knows no language: every word counts as it is written, in lower case.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connections

from core_tables.search.estimate import estimate
from core_tables.search.scope import Scope

WORDS = "to_tsvector('simple', m.content ->> 'text')"
# Ranking reads a row's text again, about 20 microseconds; so many take less than half a second.
RANKED = 20_000
# A word in more than this share of the memories says little when any word will do: of all memories, which costs nothing
# to know, and of so many of those searched, about 10 microseconds each.
COMMON, SAMPLE = 0.05, 300
# Characters and words of a query; what follows is not asked for.
LONGEST, MOST_WORDS = 20_000, 1_000

ALL = "SELECT websearch_to_tsquery('simple', %s)::text"
# A word's share comes from what ANALYZE knows of the text index: the counterpart of inverse document frequency. What is
# common among all agents' memories may be rare among those searched, or in no more of them than are wanted.
ANY = """
WITH words AS (
  SELECT lexeme, coalesce(common.share, 0) > %s AS common
    FROM unnest(to_tsvector('simple', %s)) AS words
    LEFT JOIN (SELECT * FROM pg_stats s,
                 unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) AS known(word, share)
                WHERE s.tablename = 'memories_text_gin' AND word IS NOT NULL) AS common ON common.word = lexeme
), searched AS MATERIALIZED (
  SELECT tsvector_to_array({words}) AS words FROM memories m
   WHERE EXISTS (SELECT FROM words WHERE common) AND {where} LIMIT %s
), size AS (
  SELECT greatest(%s * count(*), CASE WHEN count(*) < %s THEN %s ELSE 0 END) AS few FROM searched
), judged AS (
  SELECT lexeme, NOT common OR few >= (SELECT count(*) FROM searched WHERE lexeme = ANY(searched.words)) AS rare
    FROM words, size
)
SELECT string_agg(quote_literal(lexeme), ' | ' ORDER BY lexeme) FILTER (WHERE rare),
       string_agg(quote_literal(lexeme), ' | ' ORDER BY lexeme)
  FROM judged
"""
SELECT = """
SELECT {select}, ts_rank({words}, %s::tsquery, 1) AS rank
  FROM {rows} m
 ORDER BY rank DESC, m.created_at DESC, m.id LIMIT %s
"""


class Match(StrEnum):
    """How words are wanted.

    WEB: every word, with quotes, `or` and `-` as in a search engine.
    ANY: any word; common ones count only where no other is found.
    """

    WEB = "web"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """What words found.

    rows: best first.
    words: the tsquery that found them; "" where no word is in the query.
    estimated: how many rows may match.
    """

    rows: list[tuple[Any, ...]]
    words: str
    estimated: int


def matching(scope: Scope, query: str, match: Match, limit: int, select: str) -> Matches:
    """Find up to `limit` rows, each as what `select` names of `m`, and the rank last.

    Where more than RANKED rows may match, so many of them are ranked: any, not the best.
    """
    found = Matches(rows=[], words="", estimated=0)
    for words in tsqueries(scope, query, match, limit):
        found = _ranked(scope, words, limit, select)
        if found.rows:
            break
    return found


def tsqueries(scope: Scope, query: str, match: Match, limit: int) -> list[str]:
    """Return people's words as tsqueries, each to be asked where those before find nothing; none without a word."""
    query = plain(query)
    with connections[scope.using].cursor() as cursor:
        if match is Match.WEB:
            cursor.execute(ALL, [query])
        else:
            sql = ANY.format(words=WORDS, where=scope.where)
            cursor.execute(sql, [COMMON, query, *scope.params, SAMPLE, COMMON, SAMPLE, limit])
        return list(dict.fromkeys(filter(None, cursor.fetchone())))


def plain(query: str) -> str:
    """Return a query as far as the server can take it: no NUL, no half characters, so many words, and no rulers."""
    text = query[:LONGEST].replace("\x00", " ").encode(errors="replace").decode()
    # Each of several dashes in a row would deny the next.
    return " ".join(re.sub(r"-{2,}", " ", text).split()[:MOST_WORDS])


def _ranked(scope: Scope, words: str, limit: int, select: str) -> Matches:
    sql, params = _matches(scope, words)
    rows = estimate(sql, params, scope.using)
    with connections[scope.using].cursor() as cursor:
        cursor.execute(*statement(scope, words, limit, select, rows))
        return Matches(rows=cursor.fetchall(), words=words, estimated=rows)


def ranked(limit: int) -> int:
    """Return how many rows are ranked at the most, for so many wanted."""
    return max(RANKED, limit)


def statement(scope: Scope, words: str, limit: int, select: str, rows: int) -> tuple[str, tuple[Any, ...]]:
    """Return the SQL that ranks what matches, of which there may be so many rows, and its parameters."""
    inner, params = _matches(scope, words)
    if rows > ranked(limit):
        inner, params = f"{inner} LIMIT %s", (*params, ranked(limit))
    return SELECT.format(select=select, words=WORDS, rows=f"({inner})"), (words, *params, limit)


def _matches(scope: Scope, words: str) -> tuple[str, tuple[Any, ...]]:
    return f"SELECT m.* FROM memories m WHERE {scope.where} AND {WORDS} @@ %s::tsquery", (*scope.params, words)
