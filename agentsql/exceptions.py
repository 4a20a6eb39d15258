"""Everything agentsql raises. A subclass's docstring is its default message; the command shows it as one line."""

from __future__ import annotations


class AgentSQLError(Exception):
    """Something went wrong in agentsql."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__class__.__doc__)


class UnknownPlugin(AgentSQLError):
    """No installed app has that label."""


class UnknownDatabase(AgentSQLError):
    """No database has that alias."""


class UnsupportedDatabase(AgentSQLError):
    """agentsql needs PostgreSQL 14 or newer."""


class DatabaseUnavailable(AgentSQLError):
    """The database can't be reached."""


class DatabaseReadOnly(AgentSQLError):
    """The database accepts no writes."""


class InsufficientPrivilege(AgentSQLError):
    """The role may not change this schema."""


class InsideTransaction(AgentSQLError):
    """automigrate commits as it goes and can't run inside a transaction; call it outside of atomic()."""


class LockUnavailable(AgentSQLError):
    """Another automigrate run holds the database's lock."""


class LockLost(AgentSQLError):
    """The connection that held automigrate's lock has died, so nothing more was started; run it again."""


class CatalogLocked(AgentSQLError):
    """Locks of others kept the catalog from being read."""


class TooManyLocks(AgentSQLError):
    """One transaction can't hold that many locks on this server."""
