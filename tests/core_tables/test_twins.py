import asyncio
import inspect
import re

from django.apps import apps
from django.db.models import QuerySet

from core_tables.twins import twin

LAZY = {"Self", "AgentStore"}  # what asks nothing yet


class Store:
    def put(self, key, *, times=1):
        return key * times

    aput = twin(put)


def test_a_twin_does_the_same_asynchronously():
    assert asyncio.run(Store().aput("a", times=3)) == "aaa"
    assert Store.aput.__name__ == "aput"
    assert "put()" in Store.aput.__doc__


def test_every_method_that_asks_the_database_has_its_twin():
    """A method that returns another queryset waits with its question; any other one asks at once."""
    querysets = {type(model._default_manager.all()) for model in apps.get_app_config("core_tables").get_models()}
    missing = [
        f"{kind.__qualname__}.{name}"
        for queryset in querysets
        for kind in queryset.__mro__
        if kind.__module__.startswith("core_tables.") and issubclass(kind, QuerySet)
        for name, method in vars(kind).items()
        if not name.startswith("_")
        and inspect.isfunction(method)
        and not inspect.iscoroutinefunction(method)
        and not inspect.isasyncgenfunction(method)
        and not LAZY & set(re.findall(r"\w+", str(method.__annotations__.get("return"))))
        and not hasattr(kind, f"a{name}")
    ]
    assert missing == []
