"""A part of the demo as rows that are not saved yet."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core_tables.demo.chores import tasks
from core_tables.demo.material import Part
from core_tables.demo.places import Setting
from core_tables.demo.remembered import memories
from core_tables.demo.seed import Seed
from core_tables.demo.talk import messages
from core_tables.demo.traces import logs
from core_tables.models import Component, Log, Memory, Message, Participant, Relationship, Task

MARK = "agentsql_demo"  # in the agent's metadata, with the number of the seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An agent and all that is its own, in the order in which one row needs the other."""

    setting: Setting
    components: tuple[Component, ...]
    participants: tuple[Participant, ...]
    relationships: tuple[Relationship, ...]
    messages: tuple[Message, ...]
    memories: tuple[Memory, ...]
    tasks: tuple[Task, ...]
    logs: tuple[Log, ...]
    cached: Mapping[str, Any]

    @classmethod
    def of(cls, part: Part, seed: Seed, now: datetime.datetime) -> "Scene":
        """Make the rows of a part: the same for the same seed but for their times, which lie before `now`."""
        setting = Setting.of(part, seed, now)
        setting.agent.metadata = {MARK: seed.number}
        said = tuple(messages(setting))
        return cls(
            setting=setting,
            components=tuple(setting.components()),
            participants=tuple(setting.participants()),
            relationships=tuple(setting.relationships()),
            messages=said,
            memories=tuple(memories(setting, said)),
            tasks=tuple(tasks(setting)),
            logs=tuple(logs(setting, said)),
            cached=part.cached,
        )

    @property
    def texts(self) -> list[str]:
        """The words of the memories, in their order: what is to be embedded."""
        return [memory.content["text"] for memory in self.memories]
