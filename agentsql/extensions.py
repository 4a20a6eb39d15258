"""Which extensions a model implies: models name types, operator classes and access methods, never extensions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

OF_TYPE = {
    "citext": ("citext",),
    "cube": ("cube",),
    "geography": ("postgis",),
    "geometry": ("postgis",),
    "halfvec": ("vector",),
    "hstore": ("hstore",),
    "ltree": ("ltree",),
    "sparsevec": ("vector",),
    "vector": ("vector",),
}
OF_OPCLASS = {"gin_trgm_ops": "pg_trgm", "gist_trgm_ops": "pg_trgm", "gin_bigm_ops": "pg_bigm"}
OF_METHOD = {"bloom": "bloom", "hnsw": "vector", "ivfflat": "vector"}

# What GIN and GiST index by themselves; a plain scalar column in such an index needs btree_gin or btree_gist.
SCALARS = frozenset(
    {
        "bigint",
        "boolean",
        "bytea",
        "character",
        "char",
        "date",
        "double",
        "inet",
        "integer",
        "interval",
        "macaddr",
    }
    | {"numeric", "real", "smallint", "text", "time", "timestamp", "uuid", "varchar"}
)
SCALAR_EXTENSION = {"gin": "btree_gin", "gist": "btree_gist"}


def base_type(type_text: str) -> str:
    """Return "vector" for "vector(384)", "timestamp" for "timestamp with time zone"."""
    return type_text.split("(")[0].split("[")[0].split(" ")[0].strip('"').lower()


FAMILIES = {
    "integer": {"smallint", "integer", "bigint", "serial", "bigserial", "smallserial", "int", "int2", "int4", "int8"},
    "text": {"text", "varchar", "character", "char", "bpchar", "citext"},
    "uuid": {"uuid"},
    "number": {"numeric", "decimal", "real", "double"},
    "bytes": {"bytea"},
    "time": {"timestamp", "timestamptz", "date", "time"},
    "json": {"json", "jsonb"},
}


def family(type_text: str) -> str:
    """Return what kind of values a built-in type holds; "" of any other, an array among them."""
    base = "" if "[" in type_text else base_type(type_text)
    return next((name for name, members in FAMILIES.items() if base in members), "")


def of_type(type_text: str) -> tuple[str, ...]:
    """Return the extensions a column type comes from."""
    return OF_TYPE.get(base_type(type_text), ())


def of_index(method: str, opclasses: Iterable[str], types: Iterable[str]) -> Iterator[str]:
    """Yield the extensions an index on columns of these types needs."""
    if method in OF_METHOD:
        yield OF_METHOD[method]
    for opclass, type_text in zip(opclasses, types, strict=True):
        if opclass:
            yield from filter(None, [OF_OPCLASS.get(opclass)])
        elif method in SCALAR_EXTENSION and "[" not in type_text and base_type(type_text) in SCALARS:
            yield SCALAR_EXTENSION[method]
