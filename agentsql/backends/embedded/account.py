"""The system user that PostgreSQL runs as.

It is ourselves, unless we are root: PostgreSQL refuses to run as root. Then it is the owner of the existing
cluster, or else the user ``pgserver``, made with useradd when missing. For that user to reach its files, root

- gives it the data directory and what this backend makes inside, and
- grants everybody traversal (``chmod o+x``) of those parents of the data directory and of the wheel's
  programs that lack it.

Nothing else changes hands or modes.
"""

import os
import pwd
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.utils import OperationalError

NAME = "pgserver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    uid: int
    gid: int

    @property
    def foreign(self) -> bool:
        return self.uid != os.geteuid()

    @property
    def popen_arguments(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.foreign else {}

    def own(self, target: Path | int) -> None:
        """Give a file to this account; a link is never followed, as its target may be anybody's."""
        if not self.foreign:
            return
        if isinstance(target, int):
            os.fchown(target, self.uid, self.gid)
        else:
            os.chown(target, self.uid, self.gid, follow_symlinks=False)


def find_account(cluster: Path) -> Account:
    if os.geteuid() != 0:
        return Account(uid=os.geteuid(), gid=os.getegid())
    with suppress(FileNotFoundError):
        owner = cluster.stat()
        if owner.st_uid != 0:
            return Account(uid=owner.st_uid, gid=owner.st_gid)
    entry = _entry() or _add_user()
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def _entry() -> pwd.struct_passwd | None:
    with suppress(KeyError):
        return pwd.getpwnam(NAME)
    return None


def _add_user() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false", NAME]
    try:
        result = subprocess.run(  # noqa: S603 (constant words)
            command, capture_output=True, text=True, check=False
        )
        reason = result.stderr.strip() or "useradd did not make the user"
    except OSError:
        reason = "useradd is missing"
    # Another of our starts may have made the user meanwhile, which fails ours.
    entry = _entry()
    if entry is None:
        raise OperationalError(
            f"PostgreSQL refuses to run as root, and the system user {NAME!r} cannot be made ({reason}): "
            "make that user, or run as an ordinary one."
        )
    return entry


def let_reach(account: Account, path: Path) -> None:
    """Let the account come down to a path by granting traversal of the parents that lack it."""
    if not account.foreign:
        return
    for parent in path.parents:
        status = parent.stat()
        if not _may_execute(account, status):
            parent.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)


def check_executable(account: Account, program: Path) -> None:
    if account.foreign and not _may_execute(account, program.stat()):
        raise OperationalError(
            f"PostgreSQL refuses to run as root, and other users may not run {program}: "
            f"chmod -R o+rX '{program.parent.parent}'."
        )


def _may_execute(account: Account, status: os.stat_result) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
