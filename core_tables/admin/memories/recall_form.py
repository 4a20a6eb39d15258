"""What the recall debugger is asked: a query, a vector or a memory, its filters, and how both arms weigh."""

import datetime
from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from core_tables.admin.json_field import JSONFormField
from core_tables.admin.memories import embedding
from core_tables.admin.reach import RowId
from core_tables.contents import check_text
from core_tables.embeddings.widths import asked, widths
from core_tables.exceptions import InvalidContent, MemoryStoreError
from core_tables.models import Memory
from core_tables.search.fusion import Terms
from core_tables.search.matching import Match

# What stands together on the page: a heading, whether it is open, and fields.
GROUPS = (
    ("Search for", True, ("q", "arms", "memory", "vector", "width")),
    ("Among", True, ("agent", "room", "entity", "type", "since", "until", "expired")),
    (
        "How",
        False,
        (
            "limit",
            "match",
            "vector_weight",
            "text_weight",
            "k",
            "recency",
            "half_life",
            "importance",
            "exact",
        ),
    ),
)
ARMS = {"both": "vector and words", "vector": "vector only", "text": "words only"}
FILTERS = ("agent", "room", "type", "entity", "since", "until")
MOST, LIMIT, HEAVIEST = 100, 10, 1000.0
NO_EMBEDDER = (
    'There is no embedder to make a vector of the query: set AGENTSQL["EMBEDDER"], give a memory or a vector, '
    "or search by words only."
)


def _weight(label: str, help_text: str = "", *, least: float = 0.0) -> forms.FloatField:
    field = forms.FloatField(label=label, help_text=help_text, min_value=least, max_value=HEAVIEST, required=False)
    field.widget.attrs["step"] = "any"
    return field


def _moment(label: str, help_text: str = "") -> forms.DateTimeField:
    # The browser's own control, which needs no script.
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, required=False, widget=widget, help_text=help_text)


class VectorFormField(JSONFormField):
    """A JSON list, or nothing, which is shown as nothing."""

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


def _line(label: str, **options: Any) -> forms.CharField:
    field = forms.CharField(label=label, required=False, **options)
    field.widget.attrs["class"] = "vTextField"
    return field


class RecallForm(forms.Form):
    """Read from the address, so that a search can be kept as a bookmark."""

    q = _line("Query", max_length=2_000)
    arms = forms.ChoiceField(label="Search by", choices=tuple(ARMS.items()), required=False)
    memory = forms.UUIDField(
        label="Memory",
        required=False,
        help_text="The id of one whose vector is searched by.",
        widget=forms.TextInput(attrs={"class": "vUUIDField"}),
    )
    vector = VectorFormField(
        label="Vector",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        help_text="A JSON list of numbers. It goes into the address: for wide ones name a memory instead.",
    )
    width = forms.TypedChoiceField(
        label="Width", required=False, coerce=int, empty_value=None, help_text="Which of the memory's vectors."
    )
    agent = forms.UUIDField(label="Agent", required=False)
    room = forms.UUIDField(label="Room", required=False)
    entity = forms.UUIDField(label="Entity", required=False)
    type = _line("Type")
    since = _moment("Written from", "This moment itself included.")
    until = _moment("Written before")
    expired = forms.BooleanField(label="Expired ones, too", required=False)
    limit = forms.IntegerField(label="Limit", required=False, min_value=1, max_value=MOST)
    match = forms.ChoiceField(
        label="Words", choices=[(Match.ANY, "any word"), (Match.WEB, "every word")], required=False
    )
    vector_weight = _weight("Weight of the vector")
    text_weight = _weight("Weight of the words")
    k = _weight("k", "How little the first ranks stand out.")
    recency = _weight("Recency", "Weight of youth.")
    half_life = _weight("Half-life", "Days that halve it.", least=0.001)
    importance = _weight("Importance", "Weight of the rating in the metadata.")
    exact = forms.BooleanField(label="Compare with an exact search", required=False)

    def __init__(self, request: HttpRequest, site: Any) -> None:
        data = request.GET
        usual = self.usual()
        given = {name: value for name, value in data.items() if value}
        # What is left empty has its usual value, and the page says so; a box that is not checked is not sent.
        filled = {name: value for name, value in usual.items() if name != "exact"} | given
        super().__init__(filled if data else None, initial=usual)
        self.fields["width"].choices = [("", "the widest"), *((width, f"{width:,}") for width in widths())]  # type: ignore[attr-defined]
        for name in ("agent", "room", "entity"):
            self.fields[name].widget = RowId(Memory._meta.get_field(name), site, request)

    def groups(self) -> Iterator[tuple[str, bool, list[forms.BoundField]]]:
        """Yield the fields as they stand together; those with errors are always open."""
        for heading, is_open, names in GROUPS:
            yield heading, is_open or any(name in self.errors for name in names), [self[name] for name in names]

    @staticmethod
    def usual() -> dict[str, Any]:
        """Return the value of each field that is left empty."""
        weights = dict.fromkeys(("vector_weight", "text_weight"), 1.0)
        terms = {"k": Terms().k, "recency": 0.0, "importance": 0.0, "half_life": Terms().half_life.days}
        arms = "both" if embedding.is_configured() else "text"
        return {**weights, **terms, "limit": LIMIT, "arms": arms, "match": Match.ANY, "exact": True}

    def clean_type(self) -> str:
        kind = str(self.cleaned_data["type"])
        try:
            if kind:
                check_text(kind, "The type")
        except InvalidContent as error:
            raise ValidationError(str(error)) from error
        return kind

    def clean_vector(self) -> Any:
        vector = self.cleaned_data["vector"]
        if vector is None:
            return None
        try:
            return asked(vector)
        except (MemoryStoreError, OverflowError) as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """Find the vector to search by."""
        found = self.cleaned_data
        if not self.errors:
            if found["arms"] == "text":
                found["vector"] = None
                if not found["q"].strip():
                    self.add_error("q", "Write what to search for.")
            elif found["vector"] is None:
                found["vector"] = self._vector(found)
            elif found["memory"]:
                self.add_error("memory", "Give a memory or a vector, not both.")
        return found

    def _vector(self, found: dict[str, Any]) -> Any:
        """Return the vector of the memory, or of the query; None after an error."""
        if key := found["memory"]:
            vector = Memory.objects.all()._vector_of(key, found["width"])
            if vector is None:
                self.add_error("memory", f"There is no memory {key} with a vector of this width.")
            return vector
        if not found["q"].strip():
            self.add_error("q", "Write what to search for, or give a memory or a vector.")
        elif not embedding.is_configured():
            self.add_error("arms", NO_EMBEDDER)
        else:
            try:
                return embedding.embedded(found["q"])
            except embedding.FAILURES as error:
                self.add_error("q", embedding.told(error))
        return None

    def asked(self) -> dict[str, Any]:
        """Return the arguments of `explain_search`."""
        found = self.cleaned_data
        half_life = datetime.timedelta(days=found["half_life"])
        return {
            "vector": found["vector"],
            "query": found["q"] if found["q"].strip() and found["arms"] != "vector" else None,
            "limit": found["limit"],
            "weights": (found["vector_weight"], found["text_weight"]),
            "terms": Terms(k=found["k"], recency=found["recency"], half_life=half_life, importance=found["importance"]),
            "match": found["match"],
            "against_exact": found["exact"],
            "expired": found["expired"],
            **{name: found[name] for name in FILTERS if found[name] not in (None, "")},
        }
