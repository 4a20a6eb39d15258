"""A small world to try the memory store and its admin with: `manage.py demo`.

`material` says what a part of the world is made of; `lab`, `office` and `home` are the three parts, an agent each.
`seed` gives ids and chances that are always the same. `scene` makes a part's rows out of its material with the help
of `places`, `talk`, `remembered`, `chores` and `traces`; nothing there asks a database. `fill` writes and removes them.
"""

from core_tables.demo.stand_in import StandIn

__all__ = ["StandIn"]
