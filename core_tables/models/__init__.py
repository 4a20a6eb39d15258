"""One file a subject; import the models from here."""

from core_tables.fields import forgive
from core_tables.models.agent import Agent
from core_tables.models.cache import Cache
from core_tables.models.embedding import Embedding
from core_tables.models.entity import Component, Entity, Relationship
from core_tables.models.log import Log
from core_tables.models.memory import Memory
from core_tables.models.message import Message
from core_tables.models.place import Participant, Room, World
from core_tables.models.task import Task

__all__ = [
    "Agent",
    "Cache",
    "Component",
    "Embedding",
    "Entity",
    "Log",
    "Memory",
    "Message",
    "Participant",
    "Relationship",
    "Room",
    "Task",
    "World",
]

for name in __all__:
    forgive(globals()[name])
