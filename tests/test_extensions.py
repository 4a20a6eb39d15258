"""Which extensions types, operator classes and access methods imply."""

import pytest

from agentsql.extensions import base_type, of_index, of_type


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("vector(384)", "vector"),
        ("vector", "vector"),
        ("VECTOR(3)", "vector"),
        ('"hstore"', "hstore"),
        ("varchar(20)[]", "varchar"),
        ("text[]", "text"),
        ("timestamp with time zone", "timestamp"),
        ("double precision", "double"),
        ("geometry(POINT,4326)", "geometry"),
        ("numeric(10, 2)", "numeric"),
        ("", ""),
    ],
)
def test_base_type(text, base):
    assert base_type(text) == base


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("vector(384)", ("vector",)),
        ("halfvec(3)", ("vector",)),
        ("sparsevec(3)", ("vector",)),
        ("hstore", ("hstore",)),
        ("citext", ("citext",)),
        ("citext[]", ("citext",)),
        ("geometry(POINT,4326)", ("postgis",)),
        ("geography(POINT,4326)", ("postgis",)),
        ("ltree", ("ltree",)),
        ("cube", ("cube",)),
        ("text", ()),
        ("tsvector", ()),
        ("vectors", ()),
        ("point", ()),
    ],
)
def test_of_type(text, names):
    assert of_type(text) == names


@pytest.mark.parametrize(
    ("method", "opclasses", "types", "names"),
    [
        ("btree", [""], ["text"], []),
        ("hash", [""], ["text"], []),
        ("brin", [""], ["timestamp with time zone"], []),
        ("spgist", [""], ["inet"], []),
        ("hnsw", ["vector_cosine_ops"], ["vector(3)"], ["vector"]),
        ("ivfflat", [""], ["vector(3)"], ["vector"]),
        ("bloom", ["", ""], ["integer", "text"], ["bloom"]),
        ("gin", ["gin_trgm_ops"], ["text"], ["pg_trgm"]),
        ("gist", ["gist_trgm_ops"], ["text"], ["pg_trgm"]),
        ("gin", ["gin_bigm_ops"], ["text"], ["pg_bigm"]),
        ("gin", ["jsonb_path_ops"], ["jsonb"], []),
        ("gin", [""], ["text[]"], []),
        ("gin", [""], ["jsonb"], []),
        ("gin", [""], ["tsvector"], []),
        ("gin", [""], ["integer"], ["btree_gin"]),
        ("gist", [""], ["varchar(20)"], ["btree_gist"]),
        ("gist", [""], ["tstzrange"], []),
        ("gist", ["", ""], ["uuid", "tstzrange"], ["btree_gist"]),
        ("gin", ["gin_trgm_ops", ""], ["text", "bigint"], ["pg_trgm", "btree_gin"]),
        ("", [""], ["integer"], []),
    ],
)
def test_of_index(method, opclasses, types, names):
    assert list(of_index(method, opclasses, types)) == names


def test_columns_without_an_operator_class_are_a_mistake():
    with pytest.raises(ValueError, match="argument"):
        list(of_index("gin", [""], ["text", "text"]))


def test_each_column_by_its_own_type():
    assert list(of_index("gin", ["", ""], ["date", "text[]"])) == ["btree_gin"]
    assert list(of_index("gin", ["", ""], ["", "text[]"])) == []
