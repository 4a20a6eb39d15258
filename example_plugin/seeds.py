"""Rows that a library begins with."""

from typing import Any

from django.apps import apps

TOPICS = {
    "manual": "How something is used: handbooks, references, instructions.",
    "news": "What happened, and when.",
    "paper": "Research, with its sources.",
    "conversation": "What people said to one another.",
}


def sow(using: str, **_: Any) -> None:
    """Add the topics that are not there.

    Called after every run of automigrate, by as many processes as there are: one statement, which leaves alone what
    it finds, an edited text included.
    """
    topic = apps.get_model("example_plugin", "Topic")
    rows = [topic(name=name, description=description) for name, description in TOPICS.items()]
    topic.objects.using(using).bulk_create(rows, ignore_conflicts=True)
