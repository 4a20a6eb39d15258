"""Agents: their settings change piece by piece, and they go with all that is theirs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from core_tables.contents import check_row
from core_tables.exceptions import InvalidContent
from core_tables.querysets.base import key_of, lockable
from core_tables.querysets.sweep import SweepingQuerySet
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Agent


def merged(value: Any, patch: Any) -> Any:
    """Return `value` with a JSON Merge Patch (RFC 7396) applied: None deletes a key."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(value) if isinstance(value, Mapping) else {}
    for key, change in patch.items():
        if change is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), change)
    return result


class AgentQuerySet(SweepingQuerySet["Agent"]):
    """Characters, and what they are set up with."""

    def patch(self, agent: "Agent | UUID", *, settings: Mapping[str, Any] | None = None, **fields: Any) -> "Agent":
        """Change an agent and return it as it is now, read under a lock: two patches at once lose nothing.

        Args:
            agent: the agent or its id. An instance that is passed stays as it was.
            settings: merged into the settings, at every depth; None as a value deletes its key.
            fields: new values of other fields, by name.

        Raises:
            Agent.DoesNotExist: there is no such agent among these.
            InvalidContent: `settings` is no object, or a value holds what PostgreSQL has no text for.
            ValueError: a name is no field of an agent.
        """
        if not isinstance(settings, Mapping | None):
            raise InvalidContent(f"Settings of an agent are a JSON object, not {type(settings).__name__}: pass a dict.")
        self._for_write = True
        with transaction.atomic(using=self.db):
            # NO KEY: whoever writes rows that point to the agent need not wait.
            rows = lockable(self.using(self.db)).select_for_update(no_key=True, of=("self",))
            row = rows.get(pk=key_of(agent))
            if settings is not None:
                fields["settings"] = merged(row.settings, settings)
            for name, value in fields.items():
                setattr(row, name, value)
            check_row(row)
            if fields:
                row.save(using=self.db, update_fields=[*fields, "updated_at"])
        return row

    apatch = twin(patch)
