"""What rows that exist get when a column appears."""

import datetime
import decimal
import itertools
import uuid
from dataclasses import dataclass

import pytest
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import connection, models
from django.db.models.functions import Now
from django.utils import timezone

from agentsql.defaults import UnknownDefault, called, fills_rows, has_value, server_default, standing_default
from agentsql.editor import dry_run
from tests.arena import Registry

counter = itertools.count()
UTC = datetime.UTC


@pytest.fixture
def editor(database):
    """A dry-run editor whose connection is open, as in a run: opening one asks the server for its types."""
    connection.ensure_connection()
    return dry_run(connection)


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
def test_values(editor, wanted, sql):
    found = standing_default(field_of(wanted), editor)
    assert found.strip() == sql.strip()


@dataclass
class Constant:
    """Callable, and like any dataclass without a hash."""

    value: int

    def __call__(self):
        return self.value


def test_a_callable_without_a_hash(editor):
    assert standing_default(field_of(models.IntegerField(default=Constant(7))), editor) == "7"


@pytest.mark.parametrize("default", [count, lambda: datetime.datetime.now(UTC).isoformat()], ids=["counter", "clock"])
def test_a_function_is_never_frozen_into_one_value(editor, default):
    with pytest.raises(UnknownDefault, match="differently"):
        standing_default(field_of(models.TextField(default=default)), editor)


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


@pytest.mark.parametrize(
    ("wanted", "sql"),
    [
        (models.UUIDField(default=uuid.uuid4), "gen_random_uuid()"),
        (models.UUIDField(db_default=RandomUUID()), "(GEN_RANDOM_UUID())"),
        (models.DateTimeField(db_default=Now()), "(STATEMENT_TIMESTAMP())"),
        (models.TextField(default="a", db_default="b"), "'b'"),
        (models.TextField(default="a"), "'a'"),
        (models.TextField(null=True), None),
    ],
    ids=["function", "db_default", "clock", "both", "value", "none"],
)
def test_server_default(editor, wanted, sql):
    assert server_default(field_of(wanted), editor) == sql


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        (None, set()),
        ("'x'", set()),
        ("GEN_RANDOM_UUID()", {"gen_random_uuid"}),
        ('(random() * "ai"."Mine" (now()))::int', {"random", "mine", "now"}),
    ],
)
def test_called(sql, names):
    assert called(sql) == names


@pytest.mark.parametrize(
    ("wanted", "default", "has"),
    [
        (models.TextField(), None, False),
        (models.TextField(null=True), "NULL", False),
        (models.TextField(), "'x'", True),
        (models.TextField(db_default="x"), None, True),
    ],
)
def test_has_value(wanted, default, has):
    assert has_value(field_of(wanted), default) is has
