"""What ``postmaster.pid`` tells about a server, and whether it is true.

PostgreSQL writes the file when it starts and removes it when it stops; a killed server leaves it behind, and
by then its process id may be somebody else's.
"""

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

# Linux gives out no process id as high as this (PID_MAX_LIMIT).
NOBODY = 2**22

PATIENCE = 1.0  # seconds to connect to a socket on this machine

# The lines of the file, as in PostgreSQL's src/include/utils/pidfile.h.
PID, _DATA_DIR, _START_TIME, PORT, SOCKET_DIR, _ADDRESS, _SHMEM_KEY, STATUS = range(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmaster:
    pid: int
    socket_dir: str
    port: str
    ready: bool

    @classmethod
    def read(cls, cluster: Path) -> Self | None:
        try:
            written = os.fsdecode(pid_file(cluster).read_bytes()).split("\n")
        except FileNotFoundError:
            return None
        # A server writes the file in steps; what is not there yet reads as empty.
        lines = [line.rstrip() if number == STATUS else line for number, line in enumerate(written)]
        lines += [""] * (STATUS + 1 - len(lines))
        return cls(
            pid=int(lines[PID]) if lines[PID].isdecimal() else 0,
            socket_dir=lines[SOCKET_DIR],
            port=lines[PORT],
            ready=lines[STATUS] == "ready",
        )

    def is_alive(self) -> bool:
        """Tell whether the process id is in use; what we may not signal is not our server."""
        try:
            os.kill(self.pid, 0)
        except OSError:
            return False
        return self.pid > 0 and not self.is_zombie()

    def is_zombie(self) -> bool:
        """Tell whether it has ended unreaped, which lasts for good where nothing adopts orphans."""
        with suppress(OSError):
            return b") Z " in Path(f"/proc/{self.pid}/stat").read_bytes()
        return False

    def answers(self) -> bool:
        """Tell whether it listens, which a reused process id does not."""
        if not (self.pid and self.socket_dir):
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(PATIENCE)
            try:
                probe.connect(f"{self.socket_dir}/.s.PGSQL.{self.port}")
            except (BlockingIOError, TimeoutError):
                return True  # it listens, with a full queue
            except OSError:
                return False
        return True


def bury_zombie(cluster: Path) -> None:
    """Let PostgreSQL see that a zombie is dead, which its own test takes for alive.

    The file stays, with another process id: PostgreSQL also finds in it the shared memory of the dead server,
    and refuses to start while orphans of that server still use it.
    """
    found = Postmaster.read(cluster)
    if found and found.is_zombie():
        _, _, rest = pid_file(cluster).read_bytes().partition(b"\n")
        pid_file(cluster).write_bytes(b"%d\n%s" % (NOBODY, rest))


def pid_file(cluster: Path) -> Path:
    return cluster / "postmaster.pid"
