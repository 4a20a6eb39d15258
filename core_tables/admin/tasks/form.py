"""The form of a task: it tells at the field what the database or a worker would refuse."""

import datetime
from typing import Any

from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError

from core_tables import contents
from core_tables.admin.editing import RecordForm, told
from core_tables.admin.lines import LinesField
from core_tables.querysets.tasks import FOREIGN_TAG

NOTHING, CENTURY = datetime.timedelta(0), datetime.timedelta(days=36_525)


class TaskForm(RecordForm):
    tags = LinesField(required=False, help_text="One a line.")

    class Meta:
        widgets = {
            "name": AdminTextareaWidget(attrs={"rows": 1}),
            "description": AdminTextareaWidget(attrs={"rows": 3}),
        }

    def clean_name(self) -> Any:
        with told():
            contents.check_text(self.cleaned_data["name"], "The name of a task")
        return self.cleaned_data["name"]

    def clean_metadata(self) -> Any:
        metadata = self.cleaned_data["metadata"]
        if metadata is not None:
            with told():
                contents._json(metadata, "The metadata of a task", contents.METADATA_BYTES)
        return metadata

    def clean_max_attempts(self) -> Any:
        if self.cleaned_data["max_attempts"] < 1:
            raise ValidationError("A task has at least 1 attempt.")
        return self.cleaned_data["max_attempts"]

    def clean_every(self) -> Any:
        every = self.cleaned_data["every"]
        if every is not None and not NOTHING < every <= CENTURY:
            raise ValidationError("Give a span above 0 and up to a century, or nothing for once.")
        return every

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        run_at, tags = found.get("run_at", self.instance.run_at), found.get("tags", self.instance.tags)
        if run_at and FOREIGN_TAG in (tags or ()):
            self.add_error("tags", f"elizaOS runs and deletes what is tagged {FOREIGN_TAG}: remove it, or the time.")
        return found
