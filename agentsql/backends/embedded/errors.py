"""The operating system's refusals, told as one sentence that names the file and the remedy."""

import errno
import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db.utils import OperationalError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def explained(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OperationalError(_sentence(error, data_dir)) from error


def full_disk(data_dir: Path) -> str:
    return f"The disk that holds {data_dir} is full: free some space, or name another DATA_DIR."


def _sentence(error: OSError, data_dir: Path) -> str:
    if error.errno in FULL:
        return full_disk(data_dir)
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(data_dir)
    reason = error.strerror or str(error)
    if error.errno in FORBIDDEN:
        return (
            f"The embedded PostgreSQL cannot write {place} ({reason}): "
            f"make {data_dir} writable for {_user()}, or name another DATA_DIR."
        )
    return f"The embedded PostgreSQL cannot use {place}: {reason}."


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.geteuid()}"
