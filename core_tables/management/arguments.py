"""What the commands are told on the command line."""

import datetime
import re
from argparse import ArgumentTypeError
from uuid import UUID

from django.apps import apps
from django.core.management.base import CommandError

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def age(text: str) -> datetime.timedelta:
    """Read an age such as 90d, 12h or 30m."""
    found = re.fullmatch(r"(\d+)([smhdw])", text.strip())
    if not found:
        raise ArgumentTypeError(f"{text!r} is no age: write a number and s, m, h, d or w, such as 90d.")
    try:
        return datetime.timedelta(**{UNITS[found[2]]: int(found[1])})
    except OverflowError:
        raise ArgumentTypeError(f"{text!r} is longer than time goes.") from None


def positive(text: str) -> int:
    """Read a number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number from 1 on.")
    return int(text)


def agent(text: str | None, *, using: str) -> UUID | None:
    """Return the id of the agent that has this id or this name; None for no text.

    Raises:
        CommandError: there is no such agent, or several have the name.
    """
    if text is None:
        return None
    agents = apps.get_model("core_tables", "Agent")._default_manager.using(using)
    try:
        found = list(agents.filter(pk=UUID(text)).values_list("pk", flat=True))
    except ValueError:
        found = list(agents.filter(name=text).values_list("pk", flat=True)[:2])
    if len(found) != 1:
        raise CommandError(
            f"Several agents are called {text!r}: give the id."
            if found
            else f"No agent has the id or the name {text!r} in the database {using!r}."
        )
    key: UUID = found[0]
    return key
