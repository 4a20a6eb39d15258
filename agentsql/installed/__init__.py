"""Plugins that come as installed distributions: their entry points, for INSTALLED_APPS.

A plugin that does not work is reported and left out, because nothing that somebody installs may take a site down. What
is wrong shows at three moments: when its AppConfig is imported, which happens here; when Django imports its models;
and in its `ready()`. The last two are seen by wrapping these methods of the plugin's own AppConfig class.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from importlib.metadata import EntryPoint, distributions
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning  # noqa: A004 Django's name for it
from django.core.exceptions import ImproperlyConfigured

from agentsql.installed.faults import broken, report, told, works
from agentsql.installed.guard import guard

GROUP = "agentsql.plugins"
VALUE = re.compile(r"(?P<module>\w+(\.\w+)*)\s*(:\s*(?P<config>\w+)\s*)?")
CONFIG_PATH = re.compile(r"\.apps(\.\w+)?$")


def installed_plugins(exclude: Iterable[str] = ()) -> list[str]:
    """Return what to add to INSTALLED_APPS for the installed plugins, sorted by entry point.

    For a settings module, so it reads no settings and imports no models. A distribution offers a plugin by an entry
    point of the group `agentsql.plugins`: "weather" or "weather.apps:WeatherConfig". One that does not work is logged
    as an error and left out.

    Args:
        exclude: entry points, app modules or lines of INSTALLED_APPS; these plugins are not imported.
    """
    broken.clear()
    excluded = {exclude} if isinstance(exclude, str) else set(exclude)
    excluded |= {_app_module(entry) for entry in excluded}
    found: dict[str, AppConfig] = {}
    for point in sorted(_entry_points(), key=lambda point: (point.name, point.value)):
        entry = _entry(point)
        if not excluded & {point.name, entry, _app_module(entry)} and entry not in found:
            works(point, partial(_add, found, entry, point, excluded))
    return list(found)


def installed_plugins_work(app_configs: Any = None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001 Django's own
    """Check that each plugin of `installed_plugins()` could be started."""
    return [Warning(fault.message, hint=fault.remedy, id="agentsql.W008") for fault in broken.values()]


def _entry_points() -> Iterator[EntryPoint]:
    """Yield the plugins' entry points; of a distribution that is on the path twice, those that Python would import."""
    seen = set()
    for distribution in distributions():
        try:
            points = distribution.entry_points.select(group=GROUP)
        except Exception as error:  # noqa: BLE001 whatever is wrong with that file
            report("entry_points.txt", distribution, error)
            continue
        name = told(distribution).partition(" ")[0] if points else ""
        if name not in seen:
            seen.add(name)
            yield from points


def _entry(point: EntryPoint) -> str:
    """Return an entry point as INSTALLED_APPS spells it; as it is, if it is malformed."""
    match = VALUE.fullmatch(point.value)
    return ".".join(filter(None, match.group("module", "config"))) if match else point.value


def _app_module(entry: str) -> str:
    return CONFIG_PATH.sub("", entry)


def _add(found: dict[str, AppConfig], entry: str, point: EntryPoint, listed: Iterable[str]) -> None:
    """Import a plugin's AppConfig as Django will, and add it to those found unless it can't live beside them."""
    if not all(part.isidentifier() for part in entry.split(".")):
        raise ImproperlyConfigured(f"{point.value!r} is malformed: it must read like 'weather.apps:WeatherConfig'")
    config = AppConfig.create(entry)
    if type(config) is AppConfig:
        raise ImproperlyConfigured(f"{entry}.apps has no AppConfig for it, where automigrate = True would stand")
    if config.label in {other.rpartition(".")[2] for other in listed}:
        raise ImproperlyConfigured(f"its app label {config.label!r} is that of an app of the project")
    for other_entry, other in found.items():
        if other.name == config.name:
            return
        if other.label == config.label:
            raise ImproperlyConfigured(f"its app label {config.label!r} is that of {other_entry}, too")
    guard(type(config), point)
    found[entry] = config
