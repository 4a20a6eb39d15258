"""Letting the PostgreSQL server loose: in a session of its own, writing to a log of its own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agentsql.backends.embedded.account import Account
from agentsql.backends.embedded.binaries import clean_environment
from agentsql.backends.embedded.options import Options
from agentsql.backends.embedded.site import Site
from agentsql.backends.embedded.sockets import PORT, choose_directory

NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def spawn(site: Site) -> subprocess.Popen[bytes]:
    """Start the server directly: pg_ctl would take it through a shell, which trips over quotes in paths."""
    socket_dir = choose_directory(site.home.path, site.account)
    # A killed server's lock on the socket, whose process id may live again. Here nobody else may listen, and
    # that none of ours does is what postmaster.pid decides.
    (socket_dir / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
    with _new_log(site.home.log, site.account) as log:
        return subprocess.Popen(  # noqa: S603 (the wheel's program)
            [site.programs / "postgres", "-D", site.home.cluster, *_flags(socket_dir, site.options)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=site.home.path,
            env=clean_environment(),
            start_new_session=True,  # an interrupt typed at the terminal is not for the server
            **site.account.popen_arguments,
        )


def let_go(child: subprocess.Popen[bytes]) -> None:
    """Leave a child to itself; Popen would warn of one that outlives it, which ours may."""
    if child.poll() is None:
        child.returncode = 0


def _flags(socket_dir: Path, options: Options) -> list[str]:
    quoted = str(socket_dir).replace('"', '""')
    parameters = (
        "listen_addresses=",
        f"port={PORT}",
        f'unix_socket_directories="{quoted}"',
        "unix_socket_permissions=0700",
        *(() if options.durable else NOT_DURABLE),
    )
    return [word for parameter in parameters for word in ("-c", parameter)]


@contextmanager
def _new_log(path: Path, account: Account) -> Iterator[int]:
    with suppress(FileNotFoundError):
        path.replace(path.with_suffix(".log.old"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        account.own(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)
