"""Content types and permissions of plugins' models, by Django's own functions."""

import threading

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections
from django.test import override_settings

from agentsql.access import grant, lacking
from agentsql.discover import Plugin
from agentsql.models import Schema

PLUGINS = [Plugin(label=label, models=()) for label in ("core_tables", "example_plugin")]
CONFIGS = [apps.get_app_config(plugin.label) for plugin in PLUGINS]
MODELS = [*(model for config in CONFIGS for model in config.get_models()), Schema]
PERMISSIONS = sum(len(model._meta.default_permissions) for model in MODELS)


@pytest.fixture
def tables(arena):
    with connection.schema_editor() as editor:
        editor.create_model(ContentType)
        editor.create_model(Permission)
    yield arena
    ContentType.objects.clear_cache()


def granted():
    return list(grant(connection, PLUGINS, wait=5))


def test_all_are_made_once(tables):
    assert lacking(connection, PLUGINS) == CONFIGS
    assert granted() == []
    assert lacking(connection, PLUGINS) == []
    assert ContentType.objects.count() == len(MODELS)
    assert Permission.objects.count() == PERMISSIONS == 4 * len(MODELS[:-1]) + 1
    assert granted() == []
    assert Permission.objects.filter(codename="view_memory", content_type__app_label="core_tables").count() == 1


def test_what_is_lacking_comes_back(tables):
    granted()
    tables.sql("DELETE FROM auth_permission WHERE codename = 'change_topic'")
    assert lacking(connection, PLUGINS) == CONFIGS[1:]
    granted()
    assert Permission.objects.filter(codename="change_topic").exists()


def test_three_questions_for_any_number_of_plugins(tables, django_assert_num_queries):
    granted()
    with django_assert_num_queries(3):
        assert granted() == []


def test_where_migrate_has_not_been_yet(arena, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert granted() == []


def test_content_types_alone(arena):
    with connection.schema_editor() as editor:
        editor.create_model(ContentType)
    assert granted() == []
    assert lacking(connection, PLUGINS) == []
    assert ContentType.objects.count() == len(MODELS)
    ContentType.objects.clear_cache()


class AuthElsewhere:
    def allow_migrate(self, *_, model=None, **_hints):
        return model not in {ContentType, Permission}


def test_where_the_routers_keep_them_elsewhere(tables, django_assert_num_queries):
    with override_settings(DATABASE_ROUTERS=[AuthElsewhere()]), django_assert_num_queries(0):
        assert granted() == []


def test_a_role_that_may_not_write_there(tables):
    tables.sql("SET default_transaction_read_only = on")
    (finding,) = granted()
    tables.sql("RESET default_transaction_read_only")
    assert (finding.id, finding.is_serious()) == ("agentsql.D105", False)
    assert "read-only" in finding.msg
    assert "manage.py migrate" in finding.hint


def test_two_at_once(tables, django_db_blocker):
    """Django's functions read and then insert: without a lock one of two would fail on a unique constraint."""
    problems = []

    def one():
        with django_db_blocker.unblock():
            mine = connections["default"]  # each thread has its own
            with mine.cursor() as cursor:
                cursor.execute(f"SET search_path TO {tables.namespace}, public")
            problems.extend(grant(mine, PLUGINS, wait=20))
            mine.close()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert lacking(connection, PLUGINS) == []
