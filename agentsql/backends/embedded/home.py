"""The data directory: what lies in it, and making it ready for use.

- ``users.lock`` is held shared by every process that uses the server;
- ``start.lock`` is held alone while a server is made or started;
- ``cluster`` is PostgreSQL's own data directory;
- ``server.log`` is what the present server says, ``server.log.old`` its predecessor;
- ``.s.PGSQL.*`` is the socket, where the path can serve.
"""

from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from agentsql.backends.embedded.account import Account, let_reach

OURS = frozenset({"users.lock", "start.lock", "cluster", "cluster.new", "server.log", "server.log.old", "lost+found"})


@dataclass(frozen=True, slots=True)
class Home:
    path: Path

    @property
    def cluster(self) -> Path:
        return self.path / "cluster"

    @property
    def unfinished(self) -> Path:
        """Where a cluster is built, to be renamed only when it is whole."""
        return self.path / "cluster.new"

    @property
    def users_lock(self) -> Path:
        return self.path / "users.lock"

    @property
    def start_lock(self) -> Path:
        return self.path / "start.lock"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    def prepare(self, account: Account) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)
        self._refuse_strangers()
        account.own(self.path)
        let_reach(account, self.path)

    def _refuse_strangers(self) -> None:
        """Keep a mistyped DATA_DIR from turning a directory of other things into ours."""
        strangers = sorted(
            entry.name for entry in self.path.iterdir() if entry.name not in OURS and entry.name[0] != "."
        )
        if strangers:
            raise ImproperlyConfigured(
                f"DATA_DIR {self.path} already holds other things ({', '.join(strangers[:3])}): "
                "name a new or an empty directory."
            )
