"""Why the rules are not DB_CASCADE: a plugin points at core tables with whatever Django offers."""

import django
import pytest
from django.db import models
from django.db.migrations.writer import MigrationWriter
from django.test.utils import isolate_apps

from core_tables.models.on_delete import CASCADE, SET_NULL


@isolate_apps("core_tables")
def test_plugins_may_point_at_core_tables_with_ordinary_keys():
    import core_tables.models as core

    class Note(models.Model):  # noqa: DJ008
        memory = models.ForeignKey(core.Memory, models.CASCADE, related_name="+")
        room = models.ForeignKey(core.Room, models.SET_NULL, null=True, related_name="+")
        entities = models.ManyToManyField(core.Entity, related_name="+")

        class Meta:
            app_label = "core_tables"

    assert {message.id for message in Note.check()}.isdisjoint({"fields.E323", "models.E050"})


@pytest.mark.skipif(django.VERSION < (6, 1), reason="there is no DB_CASCADE in Django 5.2")
@pytest.mark.parametrize(
    ("ours", "theirs"), [(CASCADE, "DB_CASCADE"), (SET_NULL, "DB_SET_NULL")], ids=["cascade", "set null"]
)
def test_the_clause_is_the_one_that_django_writes(ours, theirs):
    from django.db import connection

    editor = connection.schema_editor()
    assert ours.on_delete_sql(editor) == getattr(models, theirs).on_delete_sql(editor)


def test_a_plugin_that_has_migrations_can_name_the_rule():
    text, imports = MigrationWriter.serialize(CASCADE)
    scope: dict[str, object] = {}
    exec("\n".join(imports), scope)
    assert eval(text, scope).deconstruct() == CASCADE.deconstruct()
