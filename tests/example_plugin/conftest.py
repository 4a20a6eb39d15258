import pytest

from tests.core_tables.scratch import tables_of


@pytest.fixture
def tables(db):
    with tables_of("core_tables", "example_plugin"):
        yield
