"""Which apps are plugins, and which of their models live on a database."""

from types import ModuleType

import pytest
from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.db import connection, models
from django.test import override_settings

from agentsql.discover import Plugin, discover, has_migrations, is_plugin
from agentsql.exceptions import UnknownPlugin


def config(label, **facts):
    return type(f"{label.title()}Config", (AppConfig,), {"path": ".", **facts})(label, ModuleType(label))


@pytest.fixture
def installed(monkeypatch):
    """A project of four apps."""
    apps = Apps([config("shop"), config("blog", automigrate=True), config("wiki", automigrate=True), config("news")])
    monkeypatch.setattr("agentsql.discover.apps", apps)
    return apps


def add_model(apps, label, name, *, bases=(models.Model,), fields=None, **options):
    meta = type("Meta", (), {"apps": apps, "app_label": label, **options})
    return type(name, bases, {"__module__": __name__, "Meta": meta, **(fields or {})})


@pytest.mark.parametrize(
    ("facts", "named", "expected"),
    [
        ({}, (), False),
        ({"automigrate": True}, (), True),
        ({"automigrate": False}, (), False),
        ({"automigrate": "yes"}, (), False),
        ({}, ("blog",), True),
        ({"automigrate": False}, ("blog",), True),
        ({}, ("shop",), False),
    ],
    ids=["silent", "says so", "says no", "says something else", "is named", "named wins", "another is named"],
)
def test_is_plugin(facts, named, expected):
    assert is_plugin(config("blog", **facts), named) is expected


@pytest.mark.parametrize(
    ("named", "only", "labels"),
    [
        ((), None, ["blog", "wiki"]),
        ((), (), ["blog", "wiki"]),
        (("shop",), None, ["shop", "blog", "wiki"]),
        (("news", "shop", "wiki"), None, ["shop", "blog", "wiki", "news"]),
        ((), ("wiki",), ["wiki"]),
        (("shop",), iter(["wiki", "shop", "wiki"]), ["shop", "wiki"]),
    ],
    ids=["say so", "no label is all", "named", "order of INSTALLED_APPS", "one label", "labels in any order"],
)
def test_labels(installed, named, only, labels):
    assert [plugin.label for plugin in discover(connection, named=named, only=only)] == labels


@pytest.mark.parametrize(
    ("named", "only", "message"),
    [
        ((), ["bolg"], "No installed app has the label 'bolg'. Did you mean 'blog'?"),
        ((), ["zzz"], "No installed app has the label 'zzz'. There are: blog, wiki."),
        (
            (),
            ["shop"],
            (
                "'shop' is not a plugin: set `automigrate = True` on its AppConfig, "
                "or add 'shop' to AGENTSQL[\"PLUGINS\"]."
            ),
        ),
        (
            ("shpo",),
            None,
            "AGENTSQL[\"PLUGINS\"] names 'shpo', but no installed app has that label. Did you mean 'shop'?",
        ),
        (
            ("q",),
            ["blog"],
            "AGENTSQL[\"PLUGINS\"] names 'q', but no installed app has that label. There are: blog, news, shop, wiki.",
        ),
    ],
    ids=["misspelt", "unknown", "not a plugin", "setting misspelt", "setting unknown"],
)
def test_unknown_labels(installed, named, only, message):
    with pytest.raises(UnknownPlugin) as caught:
        discover(connection, named=named, only=only)
    assert str(caught.value) == message


def test_advice_without_any_plugin(monkeypatch):
    monkeypatch.setattr("agentsql.discover.apps", Apps([config("shop")]))
    with pytest.raises(UnknownPlugin, match=r"^No installed app has the label 'x'\. There are: none\.$"):
        discover(connection, named=(), only=["x"])


def test_models_of_a_database(installed):
    tag = add_model(installed, "blog", "Tag")
    post = add_model(installed, "blog", "Post", fields={"tags": models.ManyToManyField("blog.Tag")})
    add_model(installed, "blog", "View", managed=False)
    add_model(installed, "blog", "Draft", bases=(post,), proxy=True)
    add_model(installed, "blog", "Oracle", required_db_vendor="oracle")
    add_model(installed, "shop", "Order")
    only_here = add_model(installed, "blog", "Vector", required_db_vendor="postgresql")
    assert discover(connection, named=(), only=["blog"]) == (
        Plugin(label="blog", models=(tag, post.tags.through, post, only_here)),
    )


@override_settings(BLOG_USER="shop.User")
def test_swapped_models_are_left_out(installed):
    add_model(installed, "blog", "User", swappable="BLOG_USER")
    kept = add_model(installed, "blog", "Kept")
    assert discover(connection, named=(), only=["blog"])[0].models == (kept,)


class Router:
    """Keeps what is secret from the database."""

    def allow_migrate(self, db, app_label, model_name=None, **_hints):
        assert (db, app_label) == ("default", "blog")
        return model_name != "secret"


def test_routers_decide(installed):
    add_model(installed, "blog", "Secret")
    kept = add_model(installed, "blog", "Kept")
    with override_settings(DATABASE_ROUTERS=[Router()]):
        assert discover(connection, named=(), only=["blog"])[0].models == (kept,)


def test_the_projects_own_plugins():
    assert [plugin.label for plugin in discover(connection, named=())] == ["core_tables", "example_plugin"]


@pytest.mark.parametrize(
    "modules", [None, {}, {"news": 5}, {"news": ".x"}, {"news": "no.such.package"}, {"news": None}]
)
def test_an_odd_setting_of_migrations_stops_nothing(modules):
    with override_settings(MIGRATION_MODULES=modules):
        assert not has_migrations(config("news"))


def test_who_has_migrations():
    assert has_migrations(apps.get_app_config("auth"))
    assert not has_migrations(apps.get_app_config("core_tables"))
    with override_settings(MIGRATION_MODULES={"auth": None}):
        assert not has_migrations(apps.get_app_config("auth"))
