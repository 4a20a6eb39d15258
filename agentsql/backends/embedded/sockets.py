"""Where the server's Unix socket lies: in the data directory if its path can serve, or in one of its own."""

import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

from django.db.utils import OperationalError

from agentsql.backends.embedded.account import Account, let_reach

PORT = "5432"

# Bytes in sockaddr_un.sun_path, less the closing zero.
LONGEST = 103 if sys.platform == "darwin" else 107


def choose_directory(data_dir: Path, account: Account) -> Path:
    if _can_serve(data_dir):
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    fallback = Path(os.path.realpath(tempfile.gettempdir())) / f"agentsql-{account.uid}-{digest}"
    if not _can_serve(fallback):
        raise OperationalError(
            f"No path for the PostgreSQL socket is short enough: neither {data_dir} nor {fallback}. "
            "Set TMPDIR to a shorter directory, or name another DATA_DIR."
        )
    _make_private(fallback, account)
    return fallback


def _can_serve(directory: Path) -> bool:
    """Tell whether libpq can name a socket here: it takes UTF-8, and a comma separates hosts."""
    path = directory / f".s.PGSQL.{PORT}"
    try:
        encoded = str(path).encode()
    except UnicodeEncodeError:
        return False
    return len(encoded) <= LONGEST and b"," not in encoded


def _make_private(directory: Path, account: Account) -> None:
    """Make the directory ours alone; another user may have made it first to listen in our place."""
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    owned = status.st_uid in {account.uid, os.geteuid()}
    if not (stat.S_ISDIR(status.st_mode) and owned and not status.st_mode & 0o077):
        raise OperationalError(
            f"{directory} is not a private directory of ours, so the PostgreSQL socket is not safe there: "
            "remove it, or set TMPDIR to another directory."
        )
    account.own(directory)
    let_reach(account, directory)
