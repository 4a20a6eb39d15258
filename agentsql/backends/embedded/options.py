"""What a DATABASES entry says about the embedded server, checked once and frozen."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from agentsql.backends.embedded.binaries import INSTALLS

NEWEST = max(INSTALLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    data_dir: Path
    version: int = NEWEST
    durable: bool = True


def read_options(settings: Mapping[str, Any]) -> Options:
    for key in ("HOST", "PORT"):
        if settings.get(key):
            raise ImproperlyConfigured(
                f"The embedded PostgreSQL chooses its own socket: remove {key} from DATABASES, "
                "or use django.db.backends.postgresql to reach another server."
            )
    return Options(
        data_dir=_data_dir(settings.get("DATA_DIR")),
        version=_version(settings.get("POSTGRES_VERSION") or NEWEST),
        durable=bool(settings.get("DURABLE", True)),
    )


def _data_dir(value: str | Path | None) -> Path:
    """Resolve links, so that two names of one directory mean one server."""
    if not value or not Path(value).is_absolute():
        raise ImproperlyConfigured(
            "The embedded PostgreSQL needs DATA_DIR in DATABASES: "
            "the absolute path of a directory for its files, such as BASE_DIR / '.postgres'."
        )
    path = os.path.realpath(value)
    if "\n" in path:
        # postmaster.pid, which tells where a running server listens, is read by lines.
        raise ImproperlyConfigured("DATA_DIR contains a line break, which PostgreSQL cannot work with.")
    return Path(path)


def _version(value: int | str) -> int:
    version = int(value) if str(value).isdecimal() else 0
    if version not in INSTALLS:
        known = " or ".join(map(str, INSTALLS))
        raise ImproperlyConfigured(f"POSTGRES_VERSION is {value!r}, and the embedded PostgreSQL is {known}.")
    return version
