import pytest

from tests.core_tables.scratch import tables_of


@pytest.fixture
def core_tables(db):
    with tables_of("core_tables"):
        yield
