"""Models nobody thought of: hypothesis draws them, Django's own editor is the judge."""

import pytest
from django.db import connection, models
from django.db.models import Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.arena import Arena, Registry, oracle
from tests.losses import lose
from tests.oracle import differences

pytestmark = pytest.mark.usefixtures("database")
CHECKED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

# The server's limit is in bytes, and Django quotes by wrapping: a double quote can't be queried, nor a dollar aliased.
characters = st.characters(codec="utf-8", exclude_characters='"%$\x00', exclude_categories=("Cs", "Cc"))
columns = st.one_of(st.none(), st.text(characters, min_size=1, max_size=12).filter(str.strip))
FIELDS = {
    "int": models.IntegerField,
    "positive": models.PositiveIntegerField,
    "char": lambda **options: models.CharField(max_length=20, **options),
    "text": models.TextField,
    "uuid": models.UUIDField,
    "json": models.JSONField,
    "moment": models.DateTimeField,
}


@st.composite
def fields(draw, number):
    kind = draw(st.sampled_from(sorted(FIELDS)))
    options = {
        "null": draw(st.booleans()),
        "unique": draw(st.booleans()),
        "db_index": draw(st.booleans()),
        "db_column": draw(columns),
    }
    if draw(st.booleans()):
        options["db_default"] = {"int": 7, "positive": 7, "char": "it's", "text": "\\", "json": None}.get(kind)
    if options.get("db_default") is None:
        options.pop("db_default", None)
    return f"f{number}", FIELDS[kind](**options)


@st.composite
def plugins(draw):
    registry = Registry()
    count = draw(st.integers(1, 4))
    for number in range(count):
        drawn = dict(draw(fields(place)) for place in range(draw(st.integers(1, 5))))
        names = list(drawn)
        taken = ["id", *(field.db_column or name for name, field in drawn.items())]
        if len(set(taken)) != len(taken):
            continue
        for place in range(draw(st.integers(0, 2))):
            target = f"M{draw(st.integers(0, count - 1))}"
            drawn[f"r{place}"] = draw(
                st.sampled_from(
                    [
                        models.ForeignKey(target, models.CASCADE, related_name="+"),
                        models.OneToOneField(target, models.CASCADE, null=True, related_name="+"),
                        models.ManyToManyField(target, related_name="+"),
                    ]
                )
            )
        registry.model(f"M{number}", meta=draw(metas(number, names, drawn)), **drawn)
    every = registry.apps.all_models["plug"].values()
    targets = [field.remote_field.model for model in every for field in model._meta.local_fields if field.remote_field]
    return registry if every and not any(isinstance(target, str) for target in targets) else None


@st.composite
def metas(draw, number, names, drawn):
    some = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)
    indexes = [
        models.Index(
            fields=[draw(st.sampled_from(["", "-"])) + name for name in draw(some)],
            name=f"m{number}_i{place}",
            condition=draw(st.sampled_from([None, Q(**{f"{names[0]}__isnull": False})])),
        )
        for place in range(draw(st.integers(0, 2)))
    ]
    # PostgreSQL merges two equal unique constraints of one CREATE TABLE, so Django's result depends on its batching.
    fresh = [name for name in names if not drawn[name].unique]
    constraints = [
        models.UniqueConstraint(
            fields=draw(st.permutations(fresh)),
            name=f"m{number}_u{place}",
            condition=draw(st.sampled_from([None, Q(**{f"{names[0]}__isnull": False})])),
        )
        for place in range(draw(st.integers(0, 1)) if fresh else 0)
    ]
    suffix = draw(st.sampled_from(["", " x", "é", "'"]))
    return {"db_table": f"m{number}{suffix}", "indexes": indexes, "constraints": constraints}


@CHECKED
@given(registry=plugins().filter(bool))
def test_generated_models_equal_djangos(registry):
    plugin = registry.plugin(connection)
    expected = oracle(plugin)
    with Arena() as arena:
        report = arena.automigrate(plugin)
        assert [outcome.failure for outcome in report.outcomes if outcome.failure] == []
        assert differences(expected, arena.fingerprint()) == []
        again = arena.automigrate(plugin)
        assert (again.outcomes, again.findings, again.status) == ((), (), "converged")


@CHECKED
@given(registry=plugins().filter(bool), seed=st.integers(0, 2**32), share=st.floats(0.01, 0.9))
def test_generated_losses_come_back(registry, seed, share):
    plugin = registry.plugin(connection)
    with Arena() as arena:
        arena.by_django([plugin])
        expected = arena.fingerprint()
        with connection.cursor() as cursor:
            lost = lose(cursor, expected, seed=seed, share=share)
        report = arena.automigrate(plugin)
        assert [outcome.failure for outcome in report.outcomes if outcome.failure] == [], lost
        assert differences(expected, arena.fingerprint()) == [], lost
        assert arena.automigrate(plugin).outcomes == ()
