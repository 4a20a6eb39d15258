"""What a test database costs with automigrate beside what it costs when Django makes the same tables.

    python -m benchmarks.testing                 # this repository's settings, their tables and migrations
    python -m benchmarks.testing --rounds 9

Everything is done in one process, by the call that Django's runner and pytest-django make, in alternating order:

    create   `create_test_db()`: CREATE DATABASE, then `migrate --run-syncdb`
    keep     the same on a database that is there (--keepdb, --reuse-db)

Django's own run needs a template that has the extension `vector`, or it makes no table with a vector at all.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.conf import settings
from django.db import connection
from django.test.utils import override_settings

from benchmarks import postgres, stopwatch

BY = {"automigrate": True, "Django": False}


@contextmanager
def test_database() -> Iterator[float]:
    """Make a test database; yield the seconds that took."""
    before = connection.settings_dict["NAME"]
    seconds = _create(keep=False)
    try:
        yield seconds
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


def _create(*, keep: bool) -> float:
    start = time.perf_counter()
    connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=keep)
    return time.perf_counter() - start


def create(*, ours: bool) -> float:
    with override_settings(AGENTSQL={"RUN_WITH_MIGRATE": ours}), test_database() as seconds:
        return seconds


def keep(*, ours: bool) -> float:
    before = connection.settings_dict["NAME"]
    with override_settings(AGENTSQL={"RUN_WITH_MIGRATE": ours}), test_database():
        connection.close()
        connection.settings_dict["NAME"] = before
        return _create(keep=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as directory, postgres.server(Path(directory)) as server:
        with server.database() as main_database, server.database() as template:
            entry = server.entry(main_database)
            os.environ["DATABASE_URL"] = f"postgres:///{main_database}"
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
            django.setup()
            settings.DATABASES["default"].update(entry)
            connection.settings_dict.update(entry)
            with server.session(template) as session:
                session.execute("CREATE EXTENSION vector")
            connection.settings_dict["TEST"]["TEMPLATE"] = template
            trials = {
                f"{what.__name__} {who}": lambda what=what, ours=ours: what(ours=ours)
                for what in (create, keep)
                for who, ours in BY.items()
            }
            seconds = stopwatch.medians(trials, rounds)
            connection.close()
        print(f"PostgreSQL {server.version}, Python {sys.version.split()[0]}, Django {django.__version__}, seconds\n")
        print("| | automigrate | Django | ratio |\n|---|---:|---:|---:|")
        for what in ("create", "keep"):
            ours, theirs = seconds[f"{what} automigrate"], seconds[f"{what} Django"]
            print(f"| {what} | {ours:.3f} | {theirs:.3f} | {ours / theirs:.2f} |")


if __name__ == "__main__":
    main()
