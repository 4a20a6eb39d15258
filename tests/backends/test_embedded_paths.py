"""Any path will do for the data directory, and the socket finds a place of its own when it must."""

import tempfile
from pathlib import Path

import pytest

from tests.backends.conftest import copy, is_running


@pytest.fixture
def short_path():
    """A directory whose name leaves room for that of a socket, as pytest's own does not in every process."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@pytest.mark.parametrize(
    "name",
    ["two words ", "it's", 'say "hi"', "ünï数据", "a,b", "$HOME `id` \\n %s", "long" * 50],
    ids=["space", "quote", "double quote", "unicode", "comma", "shell", "long"],
)
def test_any_path_will_do(start, template, tmp_path, name):
    user = start(copy(template, tmp_path / name))
    server = user.server()
    assert user.ask("SHOW listen_addresses") == ""
    user.quit()
    assert not is_running(server)


def test_a_cluster_is_made_under_any_path(start, tmp_path):
    user = start(tmp_path / """it's "ünï" $x""")
    user.server()
    user.quit()


def test_a_long_path_puts_the_socket_into_a_private_directory(start, template, tmp_path):
    place = copy(template, tmp_path / ("long" * 50))
    user = start(place)
    user.server()
    (socket_dir,) = user.ask("SHOW unix_socket_directories").strip('"').split(", ")
    assert not socket_dir.startswith(str(place))
    user.quit()


def test_two_names_of_one_directory_are_one_server(start, data_dir, tmp_path):
    (tmp_path / "other name").symlink_to(data_dir)
    one, other = start(data_dir), start(tmp_path / "other name")
    assert one.server() == other.server()
    one.quit()
    other.quit()


def test_a_long_temporary_directory_too_is_refused(start, template, tmp_path):
    long = tmp_path / ("temporary" * 20)
    long.mkdir()
    place = copy(template, tmp_path / ("long" * 50))
    refusal = start(place, environ={"TMPDIR": str(long)}).refusal()
    assert refusal.startswith("OperationalError: No path for the PostgreSQL socket is short enough")
    assert refusal.endswith("Set TMPDIR to a shorter directory, or name another DATA_DIR.")


def test_somebody_elses_socket_directory_is_refused(start, template, tmp_path, short_path):
    place = copy(template, tmp_path / ("long" * 50))
    environ = {"TMPDIR": str(short_path)}
    user = start(place, environ=environ)
    user.server()
    user.quit()
    (socket_dir,) = short_path.glob("agentsql-*")
    socket_dir.rmdir()
    socket_dir.symlink_to("/tmp")
    refusal = start(place, environ=environ).refusal()
    assert "is not a private directory of ours" in refusal
