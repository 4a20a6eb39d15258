"""Schema values, models and reports made by hand, so that pure modules are tested without a database."""

import time
from contextlib import closing, contextmanager

from django.db import connection

from agentsql.conf import Settings
from agentsql.desired import draft
from agentsql.diff import diff
from agentsql.discover import Plugin
from agentsql.editor import dry_run
from agentsql.facts import Dialect
from agentsql.names import TableName
from agentsql.report import Outcome, Report, Result
from agentsql.schema import Column, Constraint, Index, Key, Kind, Structure, Table
from agentsql.situation import Conditions, Situation
from agentsql.statement import Session
from agentsql.step import Action, Mode, Step
from agentsql.watch import Watch

LOGS = TableName("", "logs")
SIZE = "about 3 rows"


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


def action(*sql, **facts):
    return Action(sql=sql or ("SELECT 1",), **facts)


def step(key=None, *creates, sql=("SELECT 1",), mode=Mode.SHARED, lock="", actions=(), **facts):
    """Return a step of the one action that `sql`, `mode` and `lock` describe, or of those that are given."""
    key = key or Key(LOGS, Kind.TABLE)
    default = {"app": "plug", "model": "plug.Log", "name": key.table.name}
    made = tuple(actions) or (Action(sql=tuple(sql), mode=mode, lock=lock),)
    return Step(key=key, creates=(key, *creates), actions=made, **(default | facts))


def outcome(result=Result.DONE, *, of=None, **facts):
    return Outcome(step=of or step(), result=result, **facts)


def report(*outcomes, **facts):
    return Report(**({"database": "agents", "plugins": ("plug",), "seconds": 0.5} | facts), outcomes=outcomes)


def editor():
    """Return the dry-run editor of a connection that is only asked how it would connect."""
    return dry_run(connection)


def draft_of(*wanted, label="plug"):
    return draft([Plugin(label=label, models=wanted)], editor(), Dialect())


def situation(desired, actual, *, populated=(), taken=(), **conditions):
    """Return what `plan` looks at when the database holds `actual`, objects or keys of desired ones."""
    found = {item.key: item for item in (desired.objects[a] if isinstance(a, Key) else a for a in actual)}
    known = {"user": "ann", "superuser": False, "may_create_in_database": True, "extensions": {}}
    known["populated"] = dict.fromkeys(populated, SIZE)
    known["taken"] = {TableName("", name): holder for name, holder in dict(taken).items()}
    return Situation(
        diff=diff(desired.objects, found),
        draft=desired,
        actual=found,
        conditions=Conditions(**(known | conditions)),
        editor=editor(),
    )


def table(name="logs", **facts):
    return Table(table=TableName("", name), **facts)


@contextmanager
def transaction_of_another(arena, *statements):
    """Another session in a transaction that has run these statements, and ends when the block does."""
    with closing(arena.connection.copy()) as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            for sql in (f"SET search_path TO {arena.namespace}, public", *statements):
                cursor.execute(sql)
        yield other
        if other.connection is not None and not other.connection.closed:
            other.rollback()


def until(condition, seconds=20.0):
    """Wait until a condition holds, and return what it answers."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.01)
    return answer


@contextmanager
def session(*, pooled=False, **settings):
    """What statements run with: short waits unless told otherwise, and a second connection to watch from."""
    connection.ensure_connection()
    short = {"lock_timeout": 0.2, "lock_wait": 2.0, "build_wait": 20.0}
    with closing(connection.copy()) as keeper:
        keeper.ensure_connection()
        yield Session(
            connection=connection,
            wire=connection.connection,
            settings=Settings(**(short | settings)),
            watch=Watch(keeper),
            pooled=pooled,
        )
