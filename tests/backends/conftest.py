"""Servers of our own in directories of our own, used by processes of our own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
USER = Path(__file__).with_name("user.py")
PATIENCE = 20.0  # seconds
ORDINARY = "nobody"


class User:
    """A running user.py."""

    def __init__(self, data_dir, *deeds, entry=None, environ=None):
        settings = {"NAME": "agentsql", "DATA_DIR": str(data_dir), "DURABLE": False} | (entry or {})
        self.process = subprocess.Popen(
            [sys.executable, USER, json.dumps(settings), *deeds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"} | (environ or {}),
            start_new_session=True,
        )

    def hear(self):
        line = self.process.stdout.readline()
        assert line, "the process ended without a word"
        return json.loads(line)

    def ask(self, query):
        self.process.stdin.write(query + "\n")
        self.process.stdin.flush()
        return self.hear()["answer"]

    def server(self):
        """The server's process id, once connected."""
        heard = self.hear()
        assert "error" not in heard, heard
        return heard["server"]

    def refusal(self):
        heard = self.hear()
        assert "error" in heard, heard
        self.quit()
        return f"{heard['error']}: {heard['message']}"

    def quit(self):
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0
        self.process.stdout.close()

    def kill(self, group=False):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL) if group else self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def start():
    """Start a user of a directory; whoever is left at the end is killed, and their servers stopped."""
    users, places = [], set()

    def start(data_dir, *deeds, **options):
        places.add(Path(data_dir))
        users.append(User(data_dir, *deeds, **options))
        return users[-1]

    yield start
    for user in users:
        if user.process.poll() is None:
            user.kill()
        user.process.stdin.close()
        user.process.stdout.close()
    for place in places:
        stop(place)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A directory with a cluster, made once: copying it is quicker than making one."""
    place = tmp_path_factory.mktemp("template") / "data"
    user = User(place)
    user.server()
    user.quit()
    return place


@pytest.fixture
def data_dir(template, tmp_path):
    return copy(template, tmp_path / "data")


def copy(template, place):
    subprocess.run(["cp", "-a", template, place], check=True)
    return place


def is_running(pid):
    """Tell whether a process runs; where nothing reaps orphans they stay as zombies."""
    try:
        os.kill(pid, 0)
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return sys.platform == "darwin"


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def stop(data_dir):
    """Stop what a failed test left behind, if it is the server that the file says it is."""
    with suppress(OSError, ValueError):
        pid = int((data_dir / "cluster" / "postmaster.pid").read_text().split()[0])
        ps = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], check=False, capture_output=True, text=True)
        if "postgres" in ps.stdout and str(data_dir) in ps.stdout:
            os.kill(pid, signal.SIGQUIT)


@pytest.fixture
def ordinary():
    """A directory of an ordinary user, which user.py becomes when told so.

    Not one of pytest's: whatever pytest runs beside us takes the way to those from everybody else.
    """
    with tempfile.TemporaryDirectory(prefix="ordinary-") as place:
        if os.geteuid() == 0:
            shutil.chown(place, ORDINARY)
        yield Path(place)
