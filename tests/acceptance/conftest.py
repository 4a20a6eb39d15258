"""A plugin of each kind of object, one after the other."""

import pytest
from django.db import connection

from tests.acceptance.kinds import EXTENDED, KINDS, nulls_distinct
from tests.arena import Registry

KIND_PARAMS = [
    *(pytest.param(kind, id=kind.__name__) for kind in KINDS),
    *(pytest.param(kind, id=kind.__name__, marks=pytest.mark.extension(*names)) for kind, names in EXTENDED.items()),
]


@pytest.fixture(params=[*KIND_PARAMS, pytest.param(nulls_distinct, id="nulls_distinct")])
def plugin(request, database):
    if request.param is nulls_distinct and connection.pg_version < 150000:
        pytest.skip("NULLS NOT DISTINCT is new in PostgreSQL 15")
    registry = Registry()
    request.param(registry)
    with connection.cursor() as cursor:
        for name in EXTENDED.get(request.param, ()):
            cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA public")
    return registry.plugin(connection)
