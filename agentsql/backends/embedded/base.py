"""Django's PostgreSQL backend in front of the embedded server.

Importing this starts nothing. The first connection of a process does.
"""

from typing import Any

from django.db.backends.postgresql import base as postgresql

from agentsql.backends.embedded.client import DatabaseClient
from agentsql.backends.embedded.creation import DatabaseCreation


class DatabaseWrapper(postgresql.DatabaseWrapper):
    client_class = DatabaseClient
    creation_class = DatabaseCreation

    def get_connection_params(self) -> dict[str, Any]:
        """Start the server here, because a connection pool takes its parameters from here too."""
        from agentsql.backends.embedded.reach import reach  # noqa: PLC0415 (not before the first connection)

        return super().get_connection_params() | reach(self.settings_dict)
