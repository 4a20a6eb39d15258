"""What Django calls of a plugin's AppConfig, wrapped so that a failure is reported and the app forgotten.

Only the plugin's own class is wrapped: nothing is changed for apps that a project lists itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial, wraps
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig

from agentsql.installed.faults import report, works

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.models import Model

guarded: dict[type[AppConfig], EntryPoint] = {}


def guard(kind: type[AppConfig], point: EntryPoint) -> None:
    """Wrap `import_models` and `ready` of an AppConfig; a subclass, which a project may have made, is not ours."""
    if kind not in guarded:
        _wrap(kind)
    guarded[kind] = point


def _wrap(kind: type[AppConfig]) -> None:
    import_models, ready = kind.import_models, kind.ready

    @wraps(import_models)
    def guarded_import(self: AppConfig) -> None:
        if type(self) is not kind:
            import_models(self)
        elif works(guarded[kind], partial(import_models, self)):
            _leave_out_if_lost(self)
        else:
            _forget(self)

    @wraps(ready)
    def guarded_ready(self: AppConfig) -> None:
        if type(self) is not kind:
            ready(self)
        else:
            works(guarded[kind], partial(ready, self), left_out=False)

    kind.import_models, kind.ready = guarded_import, guarded_ready  # type: ignore[method-assign]


def _forget(config: AppConfig) -> None:
    """Undo what a plugin has registered, then leave out the plugins whose models refer to its models."""
    registry: Apps = config.apps  # type: ignore[assignment]
    # A new mapping, because populate() is on its way through the old one.
    registry.app_configs = {label: other for label, other in registry.app_configs.items() if other is not config}
    registry.all_models[config.label].clear()
    pending: dict[Any, list[Any]] = registry._pending_operations
    for key, operations in list(pending.items()):
        pending[key] = [operation for operation in operations if not _is_of(operation, config.name)]
        if not pending[key]:
            del pending[key]
    registry.clear_cache()
    for other in list(registry.app_configs.values()):
        _leave_out_if_lost(other)


def _is_of(operation: Any, package: str) -> bool:
    """Tell whether what waits for a model, a nest of partials, is about a model, field or function of a package."""
    about = []
    while hasattr(operation, "func"):
        about += [*getattr(operation, "args", ()), *getattr(operation, "keywords", {}).values()]
        operation = operation.func
    modules = (str(getattr(getattr(one, "model", one), "__module__", "")) for one in (*about, operation))
    return any(f"{module}.".startswith(f"{package}.") for module in modules)


def _leave_out_if_lost(config: AppConfig) -> None:
    """Leave out an installed plugin with a model that refers to an app which is not there."""
    registry: Apps = config.apps  # type: ignore[assignment]
    if type(config) not in guarded or config.label not in registry.app_configs:
        return
    for model in (config.models or {}).values():
        for label, name in _references(model):
            if label not in registry.app_configs:
                error = LookupError(f"its {model.__name__} refers to {label}.{name}, and there is no app {label!r}")
                point = guarded[type(config)]
                report(point.name, point.dist, error)
                _forget(config)
                return


def _references(model: type[Model]) -> Iterator[tuple[str, str]]:
    """Yield the labels and names of the models that a model needs, found or not."""
    needed: list[Any] = [base for base in model.__mro__ if hasattr(base, "_meta") and not base._meta.abstract]
    for field in (*model._meta.local_fields, *model._meta.local_many_to_many, *model._meta.private_fields):
        relation = getattr(field, "remote_field", None)
        needed += [getattr(relation, "model", None), getattr(relation, "through", None)]
    for one in filter(None, needed):
        label, _, name = (one if isinstance(one, str) else one._meta.label).partition(".")
        yield label, name
