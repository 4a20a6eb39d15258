"""What is made up, made up alike each time: ids and chances follow from a number and a name."""

from dataclasses import dataclass
from random import Random
from uuid import UUID, uuid5

NAMESPACE = UUID("6f9b4e0a-5d5c-4f0e-9a55-2b6f6c1d7a10")


class Dice(Random):
    """Chances that fall the same for the same name."""

    def one_in(self, number: float) -> bool:
        """Return True for one in so many calls."""
        return self.random() * number < 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """One of the worlds that can be made up."""

    number: int

    def id(self, *path: object) -> UUID:
        """Return the id of the row that a path names."""
        return uuid5(NAMESPACE, self._name(path))

    def dice(self, *path: object) -> Dice:
        """Return chances of one purpose: what others draw changes nothing for it."""
        return Dice(self._name(path))

    def _name(self, path: tuple[object, ...]) -> str:
        return "/".join(map(str, (self.number, *path)))
