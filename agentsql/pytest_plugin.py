"""The fixture `assert_schema_current`. pytest loads this wherever agentsql is installed, so it imports only pytest."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture
def assert_schema_current(db: None) -> Callable[..., None]:  # noqa: ARG001 pytest-django makes the database
    """Return `agentsql.testing.assert_schema_current`, for a test that may use the database."""
    from agentsql.testing import assert_schema_current  # noqa: PLC0415 it needs Django's settings

    return assert_schema_current
