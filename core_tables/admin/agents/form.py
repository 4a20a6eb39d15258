"""An agent to edit: its settings go out with their secrets masked, and come back to where those still are."""

from typing import Any

from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.db import router
from django.forms.fields import InvalidJSONInput
from django.views.decorators.debug import sensitive_variables

from core_tables.admin.editing import RecordForm, told
from core_tables.admin.json_field import JSONFormField
from core_tables.admin.secrets import MASK, NothingBehind, masked, rebased, unmasked
from core_tables.contents import content_json
from core_tables.models import Agent

HELP = (
    f"A JSON object. {MASK} stands for a secret, which nobody is shown: leave it to keep the secret, write over it "
    "to set another, take its line out to delete it."
)


class SettingsField(JSONFormField):
    """Settings as people may see them."""

    widget = AdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return super().prepare_value(value if isinstance(value, InvalidJSONInput) else masked(value))

    def bound_data(self, data: Any, initial: Any) -> Any:  # noqa: ARG002
        # Shown again after a mistake elsewhere, as it was typed: masked, a new secret would be lost.
        return InvalidJSONInput(data or "")


class AgentForm(RecordForm):
    # The hidden initial value says what somebody saw, so that what two people changed is joined.
    merged = ("settings",)
    settings = SettingsField(required=False, show_hidden_initial=True, help_text=HELP)

    class Meta:
        model = Agent
        exclude = ()
        # One line high, but no input of one line: that would drop the end of a line which others put into a name.
        widgets = {name: AdminTextareaWidget(attrs={"rows": 1}) for name in ("name", "username")}

    @sensitive_variables()
    def clean_settings(self) -> Any:
        """Return the settings to be saved, read under a lock: what changed since the page was shown stays changed."""
        edited = self.cleaned_data["settings"]
        try:
            if "settings" not in self.changed_data:
                return self.instance.settings
            with told():
                content_json(edited)
            return unmasked(edited) if self.instance._state.adding else rebased(edited, self._shown(), self._now())
        except NothingBehind as error:
            raise ValidationError(str(error)) from error
        except RecursionError as error:
            raise ValidationError("This is nested too deeply.") from error

    def _shown(self) -> Any:
        """Return what the page showed; without it, what it would show now."""
        before = self.data.get(self["settings"].html_initial_name)
        return masked(self._now()) if before is None else self.fields["settings"].to_python(before)

    @sensitive_variables()
    def _now(self) -> Any:
        rows = Agent._base_manager.using(router.db_for_write(Agent, instance=self.instance))
        # NO KEY: whoever writes rows that point to the agent need not wait.
        found = rows.filter(pk=self.instance.pk).select_for_update(no_key=True).values_list("settings").first()
        if found is None:
            raise ValidationError("Somebody has deleted the agent meanwhile.")
        return found[0]
