from django.db import models

from core_tables.agent_store import AgentStore
from core_tables.models.base import Record
from core_tables.models.swept import Swept
from core_tables.querysets.agents import AgentQuerySet


class Agent(Swept, Record):
    """A character: who the agent is, how it speaks, and what it is set up with."""

    enabled = models.BooleanField(default=True, db_default=True, help_text="Whether the agent may run.")
    server_id = models.UUIDField(null=True, blank=True, help_text="The server that runs the agent.")
    name = models.TextField(help_text="What the agent is called.")
    username = models.TextField(null=True, blank=True, help_text="The handle it goes by, where one is needed.")
    system = models.TextField(
        "system prompt",
        null=True,
        blank=True,
        default="",
        db_default="",
        help_text="The instruction that opens every prompt.",
    )
    bio = models.JSONField(
        null=True,
        blank=True,
        default=list,
        db_default=[],
        help_text="Who the agent is: a list of sentences, or one text.",
    )
    message_examples = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        help_text="Conversations that show how it talks, each a list of turns.",
    )
    post_examples = models.JSONField(
        default=list, db_default=[], blank=True, help_text="Posts that show how it writes, a list of texts."
    )
    topics = models.JSONField(
        default=list, db_default=[], blank=True, help_text="What it likes to talk about, a list of texts."
    )
    adjectives = models.JSONField(
        default=list, db_default=[], blank=True, help_text="What it is like, a list of words."
    )
    knowledge = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        help_text="Facts, or paths of files and folders, that it starts with.",
    )
    plugins = models.JSONField(
        default=list, db_default=[], blank=True, help_text="The plugins that it loads, a list of names."
    )
    settings = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="Settings of the agent and its plugins. Secrets live in here: never show it as it is.",
    )
    style = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="Rules of style, as lists under the keys all, chat and post.",
    )

    objects = AgentQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "agents"
        ordering = ["name"]
        indexes = [models.Index(fields=["name"], name="agents_name_idx")]

    def __str__(self) -> str:
        return self.name

    @property
    def cache(self) -> AgentStore:
        """The operations of a cache on what this agent keeps, such as `agent.cache.get("weather")`."""
        return self.cache_entries.of(self)
