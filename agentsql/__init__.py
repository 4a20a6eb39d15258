"""agentsql: installed Django apps declare models, and the PostgreSQL schema follows, adding only.

One run is a straight line, and each step is a module:

    discover  which apps are plugins                 executor  run it: transactions, failures
    desired   models -> Schema                       report    what happened, and the verdict
    catalog   connection -> Schema                   renderers text, json, sql
    diff      what is missing                        engine    all of the above, under a lock
    hazards, plan  what can be made, in which order  drift     what differs and is left alone
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentsql.report import Report

__all__ = ["automigrate", "installed_plugins"]
__version__ = "0.1.0"


def automigrate(using: str = "default", plugins: Any = None, **options: Any) -> Report:
    """Make the schema hold all that the plugins' models need; see `agentsql.engine.run`.

    Importable before Django is set up, callable once it is.
    """
    from agentsql.engine import run  # noqa: PLC0415 models can't be imported before apps are ready

    return run(using=using, plugins=plugins, **options)


def installed_plugins(exclude: Iterable[str] = ()) -> list[str]:
    """Return what to add to INSTALLED_APPS for the plugins that are installed; see `agentsql.installed`."""
    from agentsql.installed import installed_plugins  # noqa: PLC0415 few projects ask

    return installed_plugins(exclude)
