"""What readers and writers of a busy table feel while it gets columns, an index and constraints, done three ways.

    python -m benchmarks.latency                # 1,000,000 rows
    python -m benchmarks.latency 100000
    python -m benchmarks.latency --bound        # exit 1 when automigrate makes a loop wait too long, or fail

Each way has a fresh copy of the table, the same traffic (tests/hot/loops.py: programs with the old code), and a
transaction that keeps the table open for its first six seconds:

    automigrate   as it is
    --atomic      everything in one transaction, with --allow-rewrite
    Django        AddField, AddIndex, AddConstraint and AlterField, each in a transaction of its own; the unique UUID
                  as Django's documentation tells: nullable, filled by an UPDATE, then altered

Latencies are of single statements, in seconds, as the programs see them; "quiet" is the same traffic with nothing
else going on, so it says what the machine itself does. A loop that waits sends nothing meanwhile: one long wait shows
in the worst latency, and in the 99th percentile only where many statements waited. A transaction that fails counts
once. Django gives all rows one value of a UUID default that need not be unique, which costs nothing; automigrate gives
each row its own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import django
from django.conf import settings
from django.db import connection, migrations
from django.db.migrations.state import ModelState, ProjectState

from agentsql.conf import Settings
from agentsql.engine import converge
from agentsql.survey import Wishes
from benchmarks import postgres
from tests.hot.loops import LOOPS, Felt
from tests.hot.tables import after, before, filled
from tests.hot.traffic import Traffic, held, worst

HOLD_SECONDS = 6.0
QUIET_SECONDS = 10.0
AFTERWARDS_SECONDS = 2.0  # the old code goes on
SLACK_SECONDS = 0.1
AUTOMIGRATE = "automigrate"


class Trial(NamedTuple):
    """One way: how long it took, what was felt before and meanwhile, and what became of it."""

    seconds: float
    quiet: Mapping[str, Felt]
    felt: Mapping[str, Felt]
    status: str

    @property
    def failed(self) -> int:
        return sum(loop.failed for loop in self.felt.values())


def automigrate(**wishes: bool) -> str:
    """Make the change by automigrate, and say how it ended."""
    report = converge(connection, [after().plugin(connection)], Settings(), Wishes(**wishes))
    failures = [f"{outcome.step.key}: {outcome.failure.message}" for outcome in report.outcomes if outcome.failure]
    return "; ".join([str(report.status), *failures[:1]])


def by_operations() -> str:
    """Make the change by Django's operations, each in the transaction that a migration would have."""
    state = ProjectState()
    for model in before().plugin(connection).models:
        state.add_model(ModelState.from_model(model))
    thing = after().apps.all_models["plug"]["thing"]
    fields = {name: thing._meta.get_field(name).clone() for name in ("note", "active", "token", "handle", "owner")}
    nullable = fields["handle"].clone()
    nullable.null, nullable._unique = True, False
    operations = [
        *(migrations.AddField("thing", name, fields[name]) for name in ("note", "active", "token")),
        migrations.AddField("thing", "handle", nullable),
        migrations.RunSQL([("UPDATE plug_thing SET handle = gen_random_uuid()", None)]),
        migrations.AlterField("thing", "handle", fields["handle"]),
        *(migrations.AddIndex("thing", index) for index in thing._meta.indexes),
        *(migrations.AddConstraint("thing", constraint) for constraint in thing._meta.constraints),
        migrations.AlterField("thing", "owner", fields["owner"]),
    ]
    ended = []
    for operation in operations:
        following = state.clone()
        operation.state_forwards("plug", following)
        try:
            with connection.schema_editor(atomic=True) as editor:
                operation.database_forwards("plug", editor, state, following)
        except django.db.DatabaseError as error:
            ended.append(f"{operation.describe()}: {str(error).splitlines()[0]}")
        state = following
    return "; ".join(ended) or "done"


WAYS: Mapping[str, Callable[[], str]] = {
    AUTOMIGRATE: automigrate,
    "--atomic": lambda: automigrate(atomic=True, allow_rewrite=True),
    "Django": by_operations,
}


def measure(way: Callable[[], str], server: postgres.Server, rows: int) -> Trial:
    """Try one way on a database of its own."""
    with server.database() as name:
        connection.settings_dict["NAME"] = name
        with connection.cursor() as cursor:
            for statement in filled(rows):
                cursor.execute(statement)
            cursor.execute("CHECKPOINT")
        with Traffic(server.conninfo(name), rows, quiet=0) as traffic:
            time.sleep(QUIET_SECONDS)
            quiet = traffic.lap()
            with held(server.conninfo(name), HOLD_SECONDS):
                start = time.perf_counter()
                status = way()
                seconds = time.perf_counter() - start
            time.sleep(AFTERWARDS_SECONDS)
            trial = Trial(seconds, quiet, traffic.stop(), status)
        connection.close()
    return trial


def report(trials: Mapping[str, Trial]) -> str:
    """Return two Markdown tables: each loop's latencies, and each way's sums with ratios to automigrate's."""
    ours = trials[AUTOMIGRATE]
    head = ["loop", "quiet worst", *(f"{way} {what}" for way in trials for what in ("worst", "p99", "failed"))]
    loops = [[kind, f"{max(trial.quiet[kind].worst for trial in trials.values()):.3f}"] for kind in LOOPS]
    for row in loops:
        for felt in (trial.felt[row[0]] for trial in trials.values()):
            row += [f"{felt.worst:.3f}", f"{felt.p99:.3f}", f"{felt.failed}"]
    sums = [
        [
            way,
            f"{trial.seconds:.1f}",
            f"{trial.seconds / ours.seconds:.2f}",
            f"{worst(trial.felt):.3f}",
            f"{worst(trial.felt) / worst(ours.felt):.2f}",
            f"{trial.failed}",
            trial.status,
        ]
        for way, trial in trials.items()
    ]
    head_of_sums = ["way", "seconds", "/ automigrate", "worst latency", "/ automigrate", "failed", "ended"]
    errors = {error for trial in trials.values() for loop in trial.felt.values() for error in loop.errors}
    lines = [_table(head, loops), "", _table(head_of_sums, sums), ""]
    return "\n".join([*lines, *sorted({error.splitlines()[0] for error in errors})])


def _table(head: list[str], rows: list[list[str]]) -> str:
    ruler = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ruler, *rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--bound", action="store_true", help="exit 1 when automigrate breaks its promise")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, postgres.server(Path(directory)) as server:
        settings.configure(DATABASES={"default": server.entry(postgres.MAINTENANCE)}, USE_TZ=True)
        django.setup()
        trials = {}
        for way, change in WAYS.items():
            trials[way] = measure(change, server, options.rows)
            print(f"{way} measured", file=sys.stderr)
        print(
            f"PostgreSQL {server.version}, Python {sys.version.split()[0]}, {options.rows:,} rows\n\n{report(trials)}"
        )
    ours = trials[AUTOMIGRATE]
    lock_timeout = Settings().lock_timeout
    if options.bound and (ours.failed or worst(ours.felt) > lock_timeout + SLACK_SECONDS + worst(ours.quiet)):
        raise SystemExit("automigrate made the traffic wait too long, or fail")


if __name__ == "__main__":
    main()
