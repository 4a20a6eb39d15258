"""What a worker is told."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a worker works. Times are in seconds.

    names: of the tasks that it can do; one that ends in `*` stands for all that begin so.
    grace: how long it lets its tasks go on once it is told to stop.
    drain: whether it stops by itself when nothing is due.
    """

    using: str
    names: tuple[str, ...]
    agents: tuple[UUID, ...] | None = None
    tags: tuple[str, ...] = ()
    concurrency: int = 1
    lease: float = 300.0
    poll: float = 1.0
    grace: float = 25.0
    drain: bool = False
    name: str = ""
