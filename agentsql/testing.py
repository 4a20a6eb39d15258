"""For the tests of a plugin: the database must be as its models say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.core.checks import WARNING
from django.db import DEFAULT_DB_ALIAS, connections

from agentsql.engine import run
from agentsql.renderers import text
from agentsql.report import Status

PATIENCE = 5.0  # seconds: a test that has itself altered a table would wait for itself


def assert_schema_current(using: str = DEFAULT_DB_ALIAS, plugins: Iterable[str] | None = None) -> None:
    """Assert that nothing the models need is missing in the database, and that nothing in it differs from them.

    It looks with a connection of its own, also inside `atomic()`, so it sees what is committed. It changes nothing.

    Args:
        using: the database alias.
        plugins: labels to look at; None looks at all.

    Raises:
        AssertionError: with the plan and the findings.
        AgentSQLError: an unknown label, a database that is not PostgreSQL or can't be reached.
    """
    plugins = None if plugins is None else [plugins] if isinstance(plugins, str) else list(plugins)
    with _another_connection(using):
        report = run(using=using, plugins=plugins, plan_only=True, lock_wait=PATIENCE)
    if not report.plugins:
        asked = ", ".join(plugins) if plugins is not None else "any plugin"
        raise AssertionError(f"No table of {asked} is on the database {using!r}; `using` names another.")
    differs = any(finding.level >= WARNING for finding in report.findings)
    if report.status is not Status.CONVERGED or differs:
        raise AssertionError(f"The schema of {report.database} is not what the models say.\n{text(report)}")


@contextmanager
def _another_connection(using: str) -> Iterator[None]:
    """Let an alias lead to a new connection, outside of the transaction that a test runs in."""
    if using not in connections:
        yield  # the run tells
        return
    before = connections[using]
    connections[using] = connection = before.copy()
    try:
        yield
    finally:
        connections[using] = before
        connection.close()
