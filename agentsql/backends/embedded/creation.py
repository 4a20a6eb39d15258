"""Test databases on the embedded server."""

from typing import Any

from django.db.backends.postgresql import creation as postgresql


class DatabaseCreation(postgresql.DatabaseCreation):
    def test_db_signature(self) -> tuple[Any, ...]:
        """Tell embedded servers apart by directory: they have no HOST, and Django merges what looks equal."""
        return (*super().test_db_signature(), str(self.connection.settings_dict.get("DATA_DIR")))
