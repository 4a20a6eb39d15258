"""Where each table lives. Each router decides what it knows, and leaves the rest to the next."""

AGENTS = {"core_tables", "recall"}


def kept_on(model, app_label):
    """Return the alias of a table; a model may say where it is kept, whatever its app does."""
    return getattr(model, "kept_on", None) or {"metrics": "metrics"}.get(app_label, "default")


class Replica:
    """It follows `default` by itself: nothing is made there."""

    def allow_migrate(self, db, *_, **_hints):
        return False if db == "replica" else None


class Agents:
    """The agents' apps, but for a model that says otherwise, and nothing else in their database."""

    def db_for_read(self, model, **_hints):
        return "agents" if model._meta.app_label in AGENTS and not hasattr(model, "kept_on") else None

    db_for_write = db_for_read

    def allow_relation(self, one, other, **_hints):
        return True if {one._meta.app_label, other._meta.app_label} & AGENTS else None

    def allow_migrate(self, db, app_label, model_name=None, model=None, **_hints):
        if app_label not in AGENTS:
            return False if db in {"agents", "down"} else None
        return None if hasattr(model, "kept_on") or model_name == "opinion" else db in {"agents", "down"}


class Rest:
    def db_for_read(self, model, **_hints):
        return kept_on(model, model._meta.app_label)

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, model=None, **_hints):
        return db == kept_on(model, app_label)


class Broken:
    def allow_migrate(self, db, app_label, model_name=None, **_hints):
        if app_label == "recall":
            raise LookupError(f"no home for {model_name} in {db}")
