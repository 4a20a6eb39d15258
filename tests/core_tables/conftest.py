import pytest

from tests.core_tables.scratch import tables_of


@pytest.fixture
def core_tables(db):
    with tables_of("core_tables"):
        yield


@pytest.fixture
def installed_tables(db):
    """Deleting goes through every installed model that points to a row."""
    with tables_of("core_tables", "example_plugin"):
        yield
