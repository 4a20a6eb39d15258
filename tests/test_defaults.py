"""What rows that exist get when a column appears."""

import datetime
import decimal
import itertools
import uuid
from dataclasses import dataclass

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.utils import timezone

from agentsql.defaults import UnknownDefault, fills_rows, standing_default
from agentsql.editor import dry_run
from tests.arena import Registry

counter = itertools.count()
UTC = datetime.UTC


def field_of(wanted):
    return Registry().model("Log", wanted=wanted)._meta.get_field("wanted")


def count():
    return next(counter)


def seven():
    return 7


@pytest.mark.parametrize(
    ("wanted", "sql"),
    [
        (models.TextField(), None),
        (models.IntegerField(null=True), None),
        (models.TextField(default="a", db_default="b"), None),
        (models.IntegerField(blank=True), None),
        (models.TextField(null=True, blank=True), None),
        (models.DateTimeField(auto_now=True), "now()"),
        (models.DateTimeField(auto_now_add=True), "now()"),
        (models.DateField(auto_now_add=True), "CURRENT_DATE"),
        (models.TimeField(auto_now=True), "LOCALTIME"),
        (models.UUIDField(default=uuid.uuid4), "gen_random_uuid()"),
        (models.DateTimeField(default=timezone.now), "now()"),
        (models.DateTimeField(default=datetime.datetime.now), "now()"),
        (models.DateField(default=datetime.date.today), "CURRENT_DATE"),
        (
            models.GeneratedField(expression=models.F("id") + 1, output_field=models.IntegerField(), db_persist=True),
            None,
        ),
    ],
)
def test_without_a_value_of_ours(wanted, sql):
    """Either there is no default, or the server computes it: row by row, where Python has a function."""
    assert standing_default(field_of(wanted), dry_run(connection)) == sql


@pytest.mark.parametrize(
    ("wanted", "sql"),
    [
        (models.IntegerField(default=5), "5"),
        (models.IntegerField(default=0, null=True), "0"),
        (models.IntegerField(default=seven), "7"),
        (models.BooleanField(default=False), "false"),
        (models.FloatField(default=-1.5), "-1.5"),
        (models.DecimalField(max_digits=5, decimal_places=2, default=decimal.Decimal("1.50")), "1.50"),
        (models.TextField(default="it's 50%s"), "'it''s 50%s'"),
        (models.TextField(default="a\\b"), " E'a\\\\b'"),
        (models.TextField(default=None, null=True), "NULL"),
        (models.TextField(blank=True), "''"),
        (models.CharField(max_length=9, blank=True), "''"),
        (models.BinaryField(blank=True), "'\\x'::bytea"),
        (models.DateField(default=datetime.date(2024, 2, 29)), "'2024-02-29'::date"),
        (models.JSONField(default=dict), "'{}'::jsonb"),
        (models.JSONField(default={"a": "it's"}.copy), "'{\"a\": \"it''s\"}'::jsonb"),
        (ArrayField(models.TextField(), default=list), "'{}'"),
    ],
)
def test_values(database, wanted, sql):
    found = standing_default(field_of(wanted), dry_run(connection))
    assert found.strip() == sql.strip()


@dataclass
class Constant:
    """Callable, and like any dataclass without a hash."""

    value: int

    def __call__(self):
        return self.value


def test_a_callable_without_a_hash(database):
    assert standing_default(field_of(models.IntegerField(default=Constant(7))), dry_run(connection)) == "7"


@pytest.mark.parametrize("default", [count, lambda: datetime.datetime.now(UTC).isoformat()], ids=["counter", "clock"])
def test_a_function_is_never_frozen_into_one_value(database, default):
    with pytest.raises(UnknownDefault):
        standing_default(field_of(models.TextField(default=default)), dry_run(connection))


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (models.TextField(default="it's 50% \\ größe"), "it's 50% \\ größe"),
        (models.IntegerField(default=-5), "-5"),
        (models.BooleanField(default=True), "true"),
        (models.JSONField(default={"a": "it's"}.copy), '{"a": "it\'s"}'),
        (ArrayField(models.TextField(), default=["a b", 'c"d'].copy), '{"a b","c\\"d"}'),
        (models.BinaryField(default=b"\0'"), "\\x0027"),
        (models.DurationField(default=datetime.timedelta(days=1)), "1 day"),
    ],
)
def test_the_server_reads_the_value_that_was_meant(arena, wanted, text):
    field = field_of(wanted)
    sql = standing_default(field, dry_run(connection))
    arena.sql(f"CREATE TABLE t (wanted {field.db_type(connection)} DEFAULT {sql})", "INSERT INTO t DEFAULT VALUES")
    assert arena.rows("SELECT wanted::text FROM t") == [(text,)]


@pytest.mark.parametrize(
    ("wanted", "default", "fills"),
    [
        (models.TextField(), None, False),
        (models.TextField(), "NULL", False),
        (models.TextField(), "''", True),
        (models.TextField(null=True), None, True),
        (models.TextField(null=True), "NULL", True),
        (models.TextField(db_default="x"), None, True),
        (models.BigAutoField(primary_key=True), None, True),
        (
            models.GeneratedField(expression=models.F("id"), output_field=models.IntegerField(), db_persist=True),
            None,
            True,
        ),
    ],
    ids=["nothing", "null", "value", "nullable", "nullable null", "database default", "identity", "generated"],
)
def test_fills_rows(wanted, default, fills):
    assert fills_rows(field_of(wanted), default) is fills
