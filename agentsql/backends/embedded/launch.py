"""Starting PostgreSQL in a cluster and waiting for it; stopping it."""

import os
import shutil
import signal
import subprocess
import time

from django.db.utils import OperationalError

from agentsql.backends.embedded.errors import full_disk
from agentsql.backends.embedded.home import Home
from agentsql.backends.embedded.postmaster import Postmaster, bury_zombie, pid_file
from agentsql.backends.embedded.site import Site
from agentsql.backends.embedded.spawn import let_go, spawn

TICK = 0.005  # seconds between looks at a starting or stopping server
LONGEST_START = 60.0  # seconds; recovery after a crash replays what was not yet in place
LONGEST_STOP = 60.0
# Seconds to wait for the remains of a killed server: its last children hold on to the shared memory.
LAST_BREATH = 3.0

NEARLY_FULL = 2**20  # bytes


def ensure_running(site: Site) -> tuple[Postmaster, subprocess.Popen[bytes] | None]:
    """Find the cluster's server, or start it as our child; the caller holds the start lock."""
    begun = time.monotonic()
    while True:
        if found := _await_settled(site.home):
            return found, None
        bury_zombie(site.home.cluster)
        child = spawn(site)
        if found := _await_ready(site.home, child):
            return found, child
        # PostgreSQL refuses to start while the process in an old pid file seems to live; it may be about to
        # end.
        if not Postmaster.read(site.home.cluster) or time.monotonic() - begun > LAST_BREATH:
            raise OperationalError(_failure(site.home))
        time.sleep(20 * TICK)


def _await_settled(home: Home) -> Postmaster | None:
    """Return a server that somebody else has started, once it is ready; one that is stopping ends in None."""
    deadline = time.monotonic() + LONGEST_START
    while (found := Postmaster.read(home.cluster)) and found.answers():
        if found.ready:
            return found
        _give_up_after(deadline, home)
        time.sleep(TICK)
    return None


def _await_ready(home: Home, child: subprocess.Popen[bytes]) -> Postmaster | None:
    """Return our own server once it is ready; None means it has ended instead."""
    deadline = time.monotonic() + LONGEST_START
    try:
        while child.poll() is None:
            found = Postmaster.read(home.cluster)
            if found and found.pid == child.pid and found.ready:
                return found
            _give_up_after(deadline, home)
            time.sleep(TICK)
    except OperationalError:
        let_go(child)  # slow, but the next start may find it ready
        raise
    except BaseException:
        child.send_signal(signal.SIGINT)
        child.wait()
        raise
    return None


def _give_up_after(deadline: float, home: Home) -> None:
    if time.monotonic() > deadline:
        raise OperationalError(f"PostgreSQL is not ready after {LONGEST_START:.0f} seconds; see {home.log}.")


def _failure(home: Home) -> str:
    end = "; ".join(home.log.read_text(errors="replace").strip().splitlines()[-3:])
    # On a full disk the log may hold nothing.
    if "No space left on device" in end or shutil.disk_usage(home.path).free < NEARLY_FULL:
        return full_disk(home.path)
    found = Postmaster.read(home.cluster)
    if found and found.is_alive():
        return (
            f"{pid_file(home.cluster)} names process {found.pid}, which runs but is not this database's "
            "server: remove that file if no PostgreSQL is running on the directory, then try again."
        )
    return f"PostgreSQL did not start; {home.log} ends with: {end}"


def stop(home: Home) -> None:
    """Stop the server, whatever is connected; the caller was its last user and holds that lock alone."""
    found = Postmaster.read(home.cluster)
    if not (found and found.answers()):
        return
    os.kill(found.pid, signal.SIGINT)
    deadline = time.monotonic() + LONGEST_STOP
    while (left := Postmaster.read(home.cluster)) and left.pid == found.pid and left.is_alive():
        if time.monotonic() > deadline:
            return
        time.sleep(TICK)
