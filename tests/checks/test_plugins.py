"""agentsql.W003, W004 and W005: what keeps an app's tables."""

import pytest
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.checks import Warning as CheckWarning
from django.db import models
from django.test import override_settings

from agentsql.checks import check_project


def test_a_plugin_with_migrations(project):
    project.migrations("blog", "0001_initial")
    assert check_project() == [
        CheckWarning(
            "The plugin 'blog' also has migrations: two things keep one schema.",
            hint="Delete its migrations package, and let migrations that depend on it say ('blog', '__first__'); "
            "or take `automigrate = True` from its AppConfig, so that only `migrate` makes its tables "
            "(once, where they are there already: `migrate blog --fake-initial`).",
            obj=project.config("blog"),
            id="agentsql.W003",
        )
    ]


def test_the_empty_package_of_startapp_is_no_trouble(project):
    project.migrations("blog")
    assert check_project() == []


def test_a_named_plugin_with_migrations(project):
    project.migrations("shop", "0001_initial")
    with override_settings(AGENTSQL={"PLUGINS": ["shop"]}):
        [found] = check_project()
    assert (found.id, found.obj) == ("agentsql.W003", project.config("shop"))
    assert "take 'shop' out of AGENTSQL[\"PLUGINS\"]" in found.hint


def test_migrations_that_the_project_switches_off_are_none(project):
    project.migrations("blog", "0001_initial")
    with override_settings(MIGRATION_MODULES={"blog": None}):
        assert check_project() == []


def test_an_app_that_nothing_makes_tables_for(project):
    for name in ("Basket", "Order", "Line", "Bill", "Refund", "Voucher", "Gift"):
        project.model("shop", name)
    assert check_project() == [
        CheckWarning(
            "Neither migrate nor automigrate makes the tables of 'shop': Basket, Order, Line, Bill, Refund and 2 more.",
            hint="Set `automigrate = True` on its AppConfig (of an app that is not yours: add 'shop' to "
            'AGENTSQL["PLUGINS"]), or run `manage.py makemigrations shop`.',
            obj=project.config("shop"),
            id="agentsql.W004",
        )
    ]


@pytest.mark.parametrize("names", [("0001_initial",), ()], ids=["migrations", "an empty package"])
def test_an_app_with_a_migrations_package_is_left_alone(project, names):
    project.model("shop", "Order")
    project.migrations("shop", *names)
    assert check_project() == []


@pytest.mark.parametrize(
    "settings",
    [{"AGENTSQL": {"PLUGINS": ["shop"]}}, {"MIGRATION_MODULES": {"shop": None}}],
    ids=["a plugin", "switched off"],
)
def test_an_app_that_has_its_way(project, settings):
    project.model("shop", "Order")
    with override_settings(**settings):
        assert check_project() == []


@override_settings(SHOP_USER="blog.User")
def test_models_that_need_no_table(project):
    project.model("blog", "User")
    project.model("shop", "View", managed=False)
    project.model("shop", "Base", abstract=True)
    project.model("shop", "Oracle", required_db_vendor="oracle")
    project.model("shop", "Person", swappable="SHOP_USER")
    project.model("shop", "Writer", bases=(project.apps.get_model("blog.User"),), proxy=True)
    assert check_project() == []


def test_an_app_that_the_routers_keep_away(project, only_on):
    project.model("shop", "Order")
    with override_settings(DATABASE_ROUTERS=[only_on("shop")]):
        assert check_project() == []


def test_a_plugins_models_that_are_allowed_nowhere(project, only_on):
    for name in ("Post", "Secret"):
        project.model("blog", name)
    with override_settings(DATABASE_ROUTERS=[only_on("blog", model_name="secret")]):
        assert check_project() == [
            CheckWarning(
                "automigrate never makes these tables of the plugin 'blog', because the routers allow them on no "
                "PostgreSQL database: Secret.",
                hint="Let allow_migrate() of a router in DATABASE_ROUTERS answer True or None for them on one; or set "
                "managed = False on models whose tables others keep.",
                obj=project.config("blog"),
                id="agentsql.W005",
            )
        ]


def test_a_database_of_another_kind_does_not_count(project, only_on, second_database):
    project.model("blog", "Post")
    second_database(ENGINE="django.db.backends.sqlite3", NAME=":memory:")
    with override_settings(DATABASE_ROUTERS=[only_on("blog", "other")]):
        assert [message.id for message in check_project()] == ["agentsql.W005"]


def test_one_postgresql_database_is_enough(project, only_on, second_database):
    project.model("blog", "Post")
    second_database()
    with override_settings(DATABASE_ROUTERS=[only_on("blog", "other")]):
        assert check_project() == []


def test_only_the_apps_that_are_asked_about(project):
    project.model("shop", "Order")
    project.migrations("blog", "0001_initial")
    project.migrations("wiki", "0001_initial")
    assert [message.obj.label for message in check_project([project.config("wiki")])] == ["wiki"]


def test_a_check_can_be_silenced(project):
    project.migrations("blog", "0001_initial")
    [found] = check_project()
    with override_settings(SILENCED_SYSTEM_CHECKS=["agentsql.W003"]):
        assert found.is_silenced()


@pytest.mark.parametrize(("options", "what"), [({"proxy": True}, "a proxy of"), ({}, "a child of")])
def test_heirs_of_models_with_migrations(project, options, what):
    order = project.model("shop", "Order")
    project.migrations("shop", "0001_initial")
    project.model("blog", "Invoice", bases=(order,), **options)
    (found,) = check_project()
    assert (found.id, found.obj._meta.label) == ("agentsql.W009", "blog.Invoice")
    assert f"blog.Invoice is {what} shop.Order, whose app has migrations" in found.msg
    assert "OneToOneField" in found.hint


def test_heirs_within_plugins_are_fine(project):
    page = project.model("blog", "Page")
    project.model("wiki", "WikiPage", bases=(page,))
    project.model("blog", "Draft", bases=(page,), proxy=True)
    assert check_project() == []


def test_a_database_whose_driver_is_not_installed_is_none_of_ours(project, second_database):
    second_database(ENGINE="a.driver.that.nobody.has")
    project.model("blog", "Post")
    assert check_project() == []


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"tags": ArrayField(models.TextField())}, {}),
        ({"tags": models.TextField()}, {"indexes": [GinIndex(fields=["tags"], name="post_tags")]}),
        ({"tags": models.TextField()}, {"indexes": [models.Index(OpClass("tags", "text_ops"), name="post_tags")]}),
    ],
    ids=["a field", "an index", "an operator class"],
)
def test_django_contrib_postgres_is_needed(project, monkeypatch, fields, options):
    project.model("blog", "Post", fields=fields, **options)
    assert check_project() == []
    monkeypatch.setattr(project.apps, "is_installed", lambda _: False)
    (found,) = check_project()
    assert (found.id, found.obj, found.hint) == (
        "agentsql.E010",
        project.config("blog"),
        'Add "django.contrib.postgres" to INSTALLED_APPS.',
    )
