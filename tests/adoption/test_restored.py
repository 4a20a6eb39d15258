"""A database restored from a pg_dump without its owner, by another role."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from agentsql.backends.embedded.binaries import find_programs
from core_tables.models import Agent, Memory, Room
from tests.adoption.conftest import House, moved_to
from tests.applications.conftest import new_database

pytestmark = pytest.mark.extension("vector")

# What pg_restore goes on after: a setting of newer servers, the comment of an extension that an administrator owns.
HARMLESS = ["unrecognized configuration parameter", "must be owner of extension"]
UNFINISHED = ["--section=pre-data", "--section=data"]
PARTS = {"columns", "constraints", "indexes"}


def program(name):
    try:
        return find_programs(18) / name
    except ImproperlyConfigured:
        return shutil.which(name) or pytest.skip(f"{name} is not installed")


def run(name, *options):
    """Run a PostgreSQL program on the database that Django is connected to now."""
    (_, *place), env = connection.client_class.settings_to_cmd_args_env(connection.settings_dict, [])
    return subprocess.run(
        [program(name), *options, *place[:-1], f"--dbname={place[-1]}"],
        capture_output=True,
        text=True,
        env=os.environ | (env or {}),
        check=False,
        timeout=120,
    )


@pytest.fixture
def dump(house, tmp_path):
    """Our own tables with a row in each of a few, as a file."""
    assert house.automigrate()["code"] == 0
    agent = Agent.objects.create(name="Анна", settings={"n": None})
    room = Room.objects.create(agent=agent, source="web", type="DM")
    Memory.objects.create(agent=agent, room=room, type="facts", content={"text": "🌍"})
    path = tmp_path / "dump"
    done = run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={path}")
    if "server version mismatch" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    house.before = house.portrait()
    return path


@pytest.fixture
def role(house):
    name = f"adopter_{os.getpid()}"
    house.sql(f"DROP ROLE IF EXISTS {name}", f"CREATE ROLE {name}")
    yield name
    house.sql(f"DROP ROLE {name}")


@pytest.fixture
def restore(dump, role):
    """Restore the dump into a database that the role owns, and where an administrator has made the extension."""
    with new_database("restored") as name, moved_to(name):
        there = House()
        there.sql(f"ALTER DATABASE {name} OWNER TO {role}", "CREATE EXTENSION vector")

        def restore(*options):
            done = run("pg_restore", "--no-owner", *options, str(dump))
            errors = [line for line in done.stderr.splitlines() if "error: could not execute" in line]
            assert all(any(words in line for words in HARMLESS) for line in errors), done.stderr
            return there

        yield restore


@contextmanager
def being(role):
    """Let Django's connection act as a role, without its password."""
    connection.close()
    connection.settings_dict["OPTIONS"]["assume_role"] = role
    try:
        yield
    finally:
        connection.close()
        del connection.settings_dict["OPTIONS"]["assume_role"]


def owners(house):
    return house.rows("""
        SELECT DISTINCT relowner::regrole::text FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    """)


def test_it_is_ours_already(house, restore, role):
    before = house.before

    there = restore(f"--role={role}")

    assert owners(there) == [(role,)]
    assert there.portrait().rows == before.rows
    with being(role):
        report = there.automigrate()
        assert (report["code"], report["status"], report["steps"]) == (0, "converged", [])
        assert [one for one in there.automigrate("--plan")["findings"] if one["level"] != "info"] == []
        Memory.objects.create(agent=Agent.objects.get(name="Анна"), type="facts", content={})


def test_what_the_restore_did_not_finish_is_made(house, restore, role):
    """Keys, constraints and indexes come after the rows, and the backup ended there."""
    before = house.before
    there = restore(f"--role={role}", *UNFINISHED)

    with being(role):
        report = there.automigrate()

    assert (report["code"], report["remaining"]) == (0, 0)
    now = there.portrait()
    assert now.rows == before.rows
    structure = {path: value for path, value in before.facts.items() if path[2:3] and path[2] in PARTS}
    assert {path for path, value in structure.items() if now.facts.get(path) != value} == set()
    with being(role):
        assert there.automigrate()["steps"] == []


def test_tables_of_another_owner(restore, role):
    """The superuser restored it: each table that lacks something is one finding, with the statement to run."""
    there = restore(*UNFINISHED)
    before = there.portrait()

    with being(role):
        report = there.automigrate()

    refused = [one for one in report["findings"] if one["id"] == "agentsql.D010"]
    assert report["code"] == 1
    assert len(refused) == len({one["object"] for one in refused}) > 12
    assert there.portrait() == before

    there.sql(*(one["hint"].partition("or: ")[2] for one in refused))
    with being(role):
        report = there.automigrate()
    assert (report["code"], report["remaining"]) == (0, 0)
