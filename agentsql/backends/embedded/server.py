"""The server as one process sees it: joined with the first connection, left at exit.

Every process holds a shared lock on ``users.lock`` for as long as it uses the server. At exit it closes that
lock and tries to take the file alone without waiting: success means that it was the last, and it stops the
server before it lets go, so that a process that comes meanwhile waits and then starts the next one. A forked
child shares the parent's open file, which stays locked until both have closed it.
"""

import atexit
import os
import subprocess
import threading
from contextlib import suppress

from agentsql.backends.embedded import locks
from agentsql.backends.embedded.account import Account
from agentsql.backends.embedded.cluster import ensure_cluster
from agentsql.backends.embedded.errors import explained
from agentsql.backends.embedded.home import Home
from agentsql.backends.embedded.launch import ensure_running, stop
from agentsql.backends.embedded.options import Options
from agentsql.backends.embedded.postmaster import Postmaster
from agentsql.backends.embedded.site import Site
from agentsql.backends.embedded.spawn import let_go


class Server:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.home = Home(options.data_dir)
        self._mutex = threading.Lock()
        self._share: int | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def join(self) -> Postmaster:
        """Return the running server, started if need be; cheap when it is known to run."""
        with self._mutex, explained(self.home.path):
            if self._share is not None:
                known = Postmaster.read(self.home.cluster)
                if known and known.ready and known.is_alive():
                    return known
            return self._find_or_start()

    def leave(self) -> None:
        """Give up our share, and stop the server if it was the last."""
        with self._mutex:
            if self._share is None:
                return
            os.close(self._share)
            self._share = None
            # Where the directory was deleted, the server notices and stops by itself.
            with suppress(FileNotFoundError), locks.alone_at_once(self.home.users_lock) as last:
                if last:
                    stop(self.home)
            self._part_with_child()

    def _find_or_start(self) -> Postmaster:
        site = Site.prepare(self.home, self.options)
        self._take_share(site.account)
        with locks.alone(self.home.start_lock, site.account) as start_lock:
            self._part_with_child()
            ensure_cluster(site, start_lock)
            running, self._child = ensure_running(site)
        return running

    def _take_share(self, account: Account) -> None:
        """Take our share of the users' lock, again if the directory was deleted and made anew."""
        if self._share is not None:
            if locks.still_names(self.home.users_lock, self._share):
                return
            os.close(self._share)
            self._share = None
        self._share = locks.share(self.home.users_lock, account)

    def _part_with_child(self) -> None:
        """Reap our child if it has stopped (its pid file goes first); otherwise leave it to the others."""
        if self._child is None:
            return
        if Postmaster.read(self.home.cluster) is None:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout=1)
        let_go(self._child)
        self._child = None

    def after_fork(self) -> None:
        """Put right what a forked child inherits: a mutex some other thread may hold, a child not its own."""
        self._mutex = threading.Lock()
        if self._child is not None:
            let_go(self._child)
            self._child = None


_servers: dict[Options, Server] = {}


def shared_server(options: Options) -> Server:
    """Return this process's one server for the options."""
    server = Server(options)
    found = _servers.setdefault(options, server)
    if found is server:
        atexit.register(server.leave)
    return found


def _after_fork() -> None:
    for server in _servers.values():
        server.after_fork()


os.register_at_fork(after_in_child=_after_fork)
