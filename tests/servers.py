"""A PostgreSQL of our own: for what can only be set at its start."""

import shutil
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from agentsql.backends.embedded.account import find_account, let_reach
from agentsql.backends.embedded.binaries import clean_environment, find_programs
from tests.live import elsewhere

VERSION = 18
QUICK = {"fsync": "off", "shared_buffers": "16MB", "max_connections": "30", "listen_addresses": ""}


class OwnServer:
    """A cluster in a directory of its own, run as an account that PostgreSQL accepts."""

    def __init__(self, programs, place):
        self.programs = programs
        self.place = place
        self.data = place / "data"
        self.account = find_account(self.data)

    def run(self, program, *arguments):
        return subprocess.run(
            [self.programs / program, *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.place,
            env=clean_environment(),
            **self.account.popen_arguments,
        )

    def start(self, **options):
        settings = " ".join(f"-c {name}={value!r}" for name, value in (QUICK | options).items())
        log = self.place / "log"
        self.run("pg_ctl", "-D", self.data, "-w", "-l", log, "-o", f"{settings} -k {self.place}", "start")

    def stop(self):
        with suppress(subprocess.CalledProcessError):
            self.run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")


@contextmanager
def directory():
    """A short path, as a socket needs, which the server's account owns."""
    try:
        programs = find_programs(VERSION)
    except ImproperlyConfigured as error:
        pytest.skip(str(error))
    place = Path(tempfile.mkdtemp(prefix="own-"))
    server = OwnServer(programs, place)
    let_reach(server.account, programs / "postgres")
    server.account.own(place)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(place)


@contextmanager
def own_server(**options):
    """Make a cluster and start it with these settings."""
    with directory() as server:
        server.run("initdb", "-D", server.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        server.start(**options)
        yield server


@contextmanager
def replica_of(primary):
    """Start a streaming replica."""
    with directory() as server:
        server.run(
            "pg_basebackup",
            "-h",
            primary.place,
            "-U",
            "postgres",
            "-D",
            server.data,
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
        )
        server.start()
        yield server


def connected_to(server):
    """Let the test's connection lead to a server."""
    return elsewhere(HOST=str(server.place), PORT="", USER="postgres", PASSWORD="", NAME="postgres")
