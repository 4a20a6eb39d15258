"""Each fact in which the database differs from the models, between objects that both sides have. Pure.

A glance compares what every run reads anyway. A thorough comparison has the server's own print of both sides.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from agentsql.details import ColumnDetail, ConstraintDetail, Detail, Details, IndexDetail, Place, TableDetail
from agentsql.names import NOWHERE
from agentsql.schema import Column, Constraint, Index, Key, Kind, SchemaObject, Table, TypeId

if TYPE_CHECKING:
    from agentsql.diff import Diff
    from agentsql.names import TableName

INTEGER_BYTES = {21: 2, 23: 4, 20: 8}  # by pg_type.oid: smallint, integer, bigint
SERIAL = "serial"  # instead of an identity: a default that a function computes, as nextval() does
SPARE_DEFAULT = "spare_default"  # instead of a default: the model has one in Python as well
ACTIONS = {"CASCADE": "c", "SET NULL": "n", "SET DEFAULT": "d", "RESTRICT": "r"}
# A cast, as the server prints it.
CAST = re.compile(
    r"::(?:character varying|bit varying|double precision|time(?:stamp)?(?:\(\d\))? with(?:out)? time zone"
    r"|\"[^\"]+\"|\w+)(?:\([\d,]+\))?(?:\[\])*"
)
CALL = re.compile(r'[\w"]\(')
TEXT = re.compile(r"('(?:[^']|'')*')::(?:text|character varying)")
FACTS: Mapping[type[Detail], Mapping[str, tuple[str, ...]]] = {  # what is told together
    TableDetail: {"comment": ("comment",), "persistence": ("persistence",)},
    ColumnDetail: {
        fact: (fact,)
        for fact in ("type", "not_null", "proven", "default", "generated", "identity", "collation", "comment")
    },
    ConstraintDetail: {
        "definition": ("definition",),
        "reference": ("match", "on_delete", "on_update"),
        "timing": ("deferrable", "deferred"),
        "watched": ("watched",),
    },
    IndexDetail: {
        "structure": (
            "method",
            "parts",
            "opclasses",
            "options",
            "collations",
            "include",
            "predicate",
            "unique",
            "nulls_not_distinct",
        ),
        "storage": ("storage",),
        "tablespace": ("tablespace",),
    },
}


class Difference(NamedTuple):
    """One fact of one object: `name` is the object's in the database; `wanted` and `found` are values or details.

    `home` is the table that it was found in, or on. `sides` are the wanted and the found object: their details, where
    these were read.
    """

    key: Key
    name: str
    fact: str
    wanted: Any
    found: Any
    home: Table = Table(table=NOWHERE)
    sides: tuple[Any, Any] = (None, None)


def glance(difference: Diff, types: Mapping[str, TypeId]) -> Iterator[Difference]:
    """Compare what both sides have by what is known of it without asking again.

    Args:
        difference: the compared schemas.
        types: what the server makes of each desired type text.
    """
    for key, (wanted, found) in difference.shared.items():
        name = place_of(found)[2]
        if isinstance(wanted, Column) and isinstance(found, Column):
            asked = types.get(wanted.type, found.type_id)
            same = wanted.type == found.type  # of a domain, a result tells only the base type
            if not same and asked != found.type_id and not is_wider_integer(found.type_id, asked):
                yield Difference(key, name, "type", wanted.type, found.type)
            if wanted.not_null != found.not_null:
                yield Difference(key, name, "not_null", wanted.not_null, found.not_null)
        elif isinstance(wanted, Index) and isinstance(found, Index):
            known = wanted.structure is not None and found.structure is not None
            if known and wanted.structure != found.structure:
                yield Difference(key, name, "structure", wanted.structure, found.structure)
    yield from unenforced(difference)


def unenforced(difference: Diff) -> Iterator[Difference]:
    for key, (_, found) in difference.shared.items():
        if isinstance(found, Constraint) and not found.enforced:
            yield Difference(key, found.name, "enforced", True, False)


def thorough(difference: Diff, wanted: Mapping[Key, Detail], found: Details) -> Iterator[Difference]:
    """Compare all facts of what both sides have.

    Args:
        difference: the compared schemas.
        wanted: by desired key, from a rehearsal; objects that are left out are not compared.
        found: by place, from the database.
    """
    pairs = {
        key: (place_of(item)[2], wanted[key], theirs)
        for key, (_, item) in difference.shared.items()
        if key in wanted and (theirs := found.get(place_of(item))) is not None
    }
    changed: dict[TableName, set[str]] = defaultdict(set)
    for key, (name, ours, theirs) in pairs.items():
        if _holds_otherwise(ours, theirs):
            changed[key.table].add(name)
    for key, (name, ours, theirs) in pairs.items():
        # A unique index may stand for a constraint: then it was known by its structure.
        if type(ours) is type(theirs):
            about = changed.get(key.table, ())
            if about and _apart_from(about, ours) == _apart_from(about, theirs):
                continue
            yield from _differing(key, name, ours, theirs)
    yield from unenforced(difference)


def _holds_otherwise(ours: Detail, theirs: Detail) -> bool:
    if not (isinstance(ours, ColumnDetail) and isinstance(theirs, ColumnDetail)):
        return False
    return (ours.type_id, ours.collation) != (theirs.type_id, theirs.collation)


def _apart_from(columns: Collection[str], detail: Detail) -> Detail | None:
    """Return the detail of what another type or collation of these columns may show in, without that.

    Casts in expressions and the operator classes of indexes follow the columns they are about: only those are told.
    """
    named = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in columns))

    def bare(text: str) -> str:
        return _bare(text) if named.search(text) else text

    if isinstance(detail, ConstraintDetail):
        return replace(detail, definition=bare(detail.definition), text="")
    if isinstance(detail, IndexDetail):
        follows = [bool(named.search(part)) for part in detail.parts]
        return replace(
            detail,
            parts=tuple(map(bare, detail.parts)),
            opclasses=tuple("" if own else name for own, name in zip(follows, detail.opclasses, strict=True)),
            collations=tuple("" if own else name for own, name in zip(follows, detail.collations, strict=False)),
            predicate=bare(detail.predicate),
        )
    return detail


def _bare(expression: str) -> str:
    """Return an expression without casts, and without the brackets that come with them."""
    return re.sub(r"[\s()]", "", CAST.sub("", expression))


def _differing(key: Key, name: str, ours: Detail, theirs: Detail) -> Iterator[Difference]:
    for fact, parts in FACTS[type(ours)].items():
        if all(getattr(ours, part) == getattr(theirs, part) for part in parts):
            continue
        pair = (getattr(ours, fact), getattr(theirs, fact)) if parts == (fact,) else (ours, theirs)
        if isinstance(ours, ColumnDetail) and isinstance(theirs, ColumnDetail):
            if _follows(fact, ours, theirs):
                continue
            pair = _in_words(fact, ours, theirs, pair)
        wanted, found = pair
        yield Difference(key, name, fact, wanted, found, sides=(ours, theirs))
        if fact == "structure":
            return  # the index is another: its storage does not matter


def _follows(fact: str, ours: ColumnDetail, theirs: ColumnDetail) -> bool:
    """Tell whether a fact of a column differs only because another does, or holds more than is asked for."""
    if fact == "type":
        return is_wider_integer(theirs.type_id, ours.type_id)
    if fact == "proven":
        return not ours.not_null
    if fact != "default":
        return False
    recast = ours.type_id != theirs.type_id and _bare(ours.default) == _bare(theirs.default)
    same_text = _text(ours.default) == _text(theirs.default) != ""
    otherwise_filled = ours.generated or theirs.generated or (ours.identity and not theirs.identity)
    return bool(otherwise_filled) or recast or same_text


def _text(default: str) -> str:
    """Return the literal of a default that is one, whichever type of text it was written for; "" of another."""
    match = TEXT.fullmatch(default)
    return match[1] if match else ""


def _in_words(fact: str, ours: ColumnDetail, theirs: ColumnDetail, pair: tuple[Any, Any]) -> tuple[Any, Any]:
    if fact == "identity" and _is_serial(ours, theirs):
        return ours.identity, SERIAL
    if fact == "type" and ours.collation:
        return f"{ours.type} COLLATE {ours.collation}", theirs.type
    return pair


def _is_serial(ours: ColumnDetail, theirs: ColumnDetail) -> bool:
    return bool(ours.identity) and not theirs.identity and bool(CALL.search(CAST.sub("", theirs.default)))


def is_wider_integer(found: TypeId | None, asked: TypeId | None) -> bool:
    """Tell whether a column holds every integer that is asked for, and more.

    Migrations give an automatic many-to-many table an id of the project's DEFAULT_AUTO_FIELD, models of their app's.
    """
    if found is None or asked is None or asked.oid not in INTEGER_BYTES:
        return False
    return INTEGER_BYTES.get(found.oid, 0) > INTEGER_BYTES[asked.oid]


def place_of(item: SchemaObject) -> Place:
    """Return where details of an object are kept."""
    kind = item.key.kind
    if isinstance(item, Constraint | Index):
        return item.table, kind, item.name
    return item.key.table, kind, "" if kind is Kind.TABLE else item.key.identity[0]


def foreign_key(statement: str) -> ConstraintDetail:
    """Return what a foreign key's own statement says; a rehearsal can't make one."""
    action = next((letter for words, letter in ACTIONS.items() if f"ON DELETE {words}" in statement), "a")
    deferrable = "DEFERRABLE" in statement
    return ConstraintDetail(
        definition="",
        match="s",
        on_delete=action,
        on_update="a",
        deferrable=deferrable,
        deferred=deferrable and "INITIALLY DEFERRED" in statement,
    )
