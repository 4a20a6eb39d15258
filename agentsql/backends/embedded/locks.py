"""Advisory locks on files. The kernel frees them however a holder ends, so none goes stale.

A lock belongs to the open file, not to the process: a forked child has a copy of the descriptor and so keeps
the lock alive until it too has closed it. Executed programs do not inherit it, unless it is passed to them on
purpose.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentsql.backends.embedded.account import Account


def open_lock(path: Path, account: Account | None = None) -> int:
    """Open a lock file; with an account, make it when missing and let that account open it too."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags | os.O_CREAT if account else flags, 0o600)
    if account:
        account.own(descriptor)
    return descriptor


def share(path: Path, account: Account) -> int:
    """Wait for a shared lock; it lasts until the descriptor is closed."""
    descriptor = open_lock(path, account)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


@contextmanager
def alone(path: Path, account: Account) -> Iterator[int]:
    """Wait for an exclusive lock."""
    descriptor = open_lock(path, account)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def alone_at_once(path: Path) -> Iterator[bool]:
    """Take an exclusive lock if nobody has one of any kind, and tell whether that was so."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        taken = True
    except BlockingIOError:
        taken = False
    try:
        yield taken
    finally:
        os.close(descriptor)


def still_names(path: Path, descriptor: int) -> bool:
    """Tell whether an open lock is the file at the path, and not one deleted with its directory."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
