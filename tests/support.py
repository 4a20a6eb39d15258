"""Schema values, models and reports made by hand, so that pure modules are tested without a database."""

from django.db import connection

from agentsql.desired import draft
from agentsql.diff import diff
from agentsql.discover import Plugin
from agentsql.editor import dry_run
from agentsql.facts import Dialect
from agentsql.hazards import Conditions, Situation
from agentsql.names import TableName
from agentsql.plan import Step
from agentsql.report import Outcome, Report, Result
from agentsql.schema import Column, Constraint, Index, Key, Kind, Structure, Table

LOGS = TableName("", "logs")


def table_key(name):
    return Key(TableName("", name), Kind.TABLE)


def column_key(table, name):
    return Key(TableName("", table), Kind.COLUMN, (name,))


def column(name="body", kind="text", *, not_null=True, **facts):
    return Column(table=facts.pop("table", LOGS), name=name, type=kind, not_null=not_null, **facts)


def structure(*columns, method="btree", **facts):
    width = len(columns)
    return Structure(method, columns, facts.pop("opclasses", ("",) * width), (0,) * width, **facts)


def index(name, *columns, table=LOGS, valid=True, **facts):
    return Index(table=table, name=name, structure=structure(*columns, **facts), columns=columns, valid=valid)


def constraint(kind, *columns, table=LOGS, **facts):
    return Constraint(table=table, kind=kind, columns=columns, **facts)


def step(key=None, *creates, **facts):
    key = key or Key(LOGS, Kind.TABLE)
    default = {"app": "plug", "model": "plug.Log", "name": key.table.name, "sql": ("SELECT 1",)}
    return Step(key=key, creates=(key, *creates), **(default | facts))


def outcome(result=Result.DONE, *, of=None, **facts):
    return Outcome(step=of or step(), result=result, **facts)


def report(*outcomes, **facts):
    return Report(**({"database": "agents", "plugins": ("plug",), "seconds": 0.5} | facts), outcomes=outcomes)


def editor():
    """Return the dry-run editor of a connection that is only asked how it would connect."""
    return dry_run(connection)


def draft_of(*wanted, label="plug"):
    return draft([Plugin(label=label, models=wanted)], editor(), Dialect())


def situation(desired, actual, **conditions):
    """Return what `plan` looks at when the database holds `actual`, objects or keys of desired ones."""
    found = {item.key: item for item in (desired.objects[a] if isinstance(a, Key) else a for a in actual)}
    known = {"user": "ann", "superuser": False, "may_create_in_database": True, "extensions": {}, "taken": {}}
    return Situation(
        diff=diff(desired.objects, found),
        draft=desired,
        actual=found,
        conditions=Conditions(**(known | conditions)),
        editor=editor(),
    )


def table(name="logs", **facts):
    return Table(table=TableName("", name), **facts)
