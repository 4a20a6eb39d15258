"""What runs tasks: `@agent_task` says which function does what, `manage.py run_agent_tasks` does it."""

from core_tables.exceptions import GiveUp, LeaseLost, TryLater
from core_tables.worker.registry import Handler, agent_task, discover, handler_of, register, registered

__all__ = [
    "GiveUp",
    "Handler",
    "LeaseLost",
    "TryLater",
    "agent_task",
    "discover",
    "handler_of",
    "register",
    "registered",
]
