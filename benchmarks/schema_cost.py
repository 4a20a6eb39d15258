"""What automigrate costs beside what cannot be saved: starting Django, and the server's own work on the DDL.

    python -m benchmarks.schema_cost                    # 10, 100, 1000 and 5000 models
    python -m benchmarks.schema_cost 100 --rounds 15
    python -m benchmarks.schema_cost --ratios           # exit 1 when a bound is broken

For each size one project is generated, and everything is the wall time of a process, the median of several rounds in
alternating order. Each creation has a database of its own, made and dropped outside the measured time. Ratios are
steadier than seconds on a machine that is busy with other things, so bounds are on ratios:

    no-op     automigrate on a converged schema / check                  at most 1.25
    creation  (automigrate on an empty database - check) / psql -1 -f    at most 1.5
    sent      statements of the no-op, counted in libpq's trace          at most 12

psql runs what `automigrate --plan --format sql` prints. A transaction keeps a lock for each relation it makes, so
one transaction for thousands of tables can exceed max_locks_per_transaction; psql then commits every 1,000 statements,
and its column has a star. Django's `migrate --run-syncdb` can't: it shows nan.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from math import nan
from pathlib import Path
from typing import NamedTuple

from benchmarks import postgres, sample_project, stopwatch

SIZES = (10, 100, 1000, 5000)
BOUND_SIZES = (100, 1000)  # Python's own start drowns smaller ones, and the machine's memory larger ones
NOOP_BOUND, CREATION_BOUND, SENT_BOUND = 1.25, 1.5, 12
SYNCDB = ("migrate", "--run-syncdb", "--verbosity", "0")
QUIET = ("automigrate", "--verbosity", "0")
PIECE = 1000  # statements


class Cost(NamedTuple):
    """Seconds at one size; `sent` is a number of statements."""

    models: int
    check: float
    noop: float
    sent: int
    psql: float
    create: float
    pieces: bool
    noop_syncdb: float = nan
    create_syncdb: float = nan

    @property
    def noop_ratio(self) -> float:
        return self.noop / self.check

    @property
    def creation_ratio(self) -> float:
        return (self.create - self.check) / self.psql

    def broken(self) -> list[str]:
        """Name the bounds that do not hold."""
        bounds: list[tuple[str, float, float]] = [("statements", self.sent, SENT_BOUND)]
        if self.models in BOUND_SIZES:
            bounds += [("no-op", self.noop_ratio, NOOP_BOUND), ("creation", self.creation_ratio, CREATION_BOUND)]
        return [f"{name} {value:.2f} > {bound}" for name, value, bound in bounds if value > bound]


class Bench:
    """One size on one server."""

    def __init__(self, project: sample_project.Project, server: postgres.Server) -> None:
        self.project = project
        self.server = server
        self.script = project.directory / "schema.sql"
        self.pieces = False

    def manage(self, database: str, *arguments: str, **environment: str) -> stopwatch.Done:
        environment = self.project.environment(self.server.entry(database), **environment)
        return stopwatch.run([sys.executable, "manage.py", *arguments], self.project.directory, environment)

    def psql(self, database: str) -> stopwatch.Done:
        command = [postgres.psql(), "-Xq", "-v", "ON_ERROR_STOP=1", "-d", self.server.conninfo(database)]
        command += ["-f", str(self.script)] if self.pieces else ["-1", "-f", str(self.script)]
        return stopwatch.run(command, self.project.directory, self.project.environment({}))

    def creation(self, *arguments: str) -> float:
        with self.server.database() as database:
            return (self.manage(database, *arguments) if arguments else self.psql(database)).seconds

    def measure(self, rounds: int) -> Cost:
        self.write_script()
        with self.server.database() as ours, self.server.database() as theirs:
            self.manage(ours, *QUIET)  # also warms: the project is compiled, the caches full
            trials: dict[str, stopwatch.Trial] = {
                "check": lambda: self.manage(ours, "check").seconds,
                "noop": lambda: self.manage(ours, *QUIET).seconds,
                "psql": self.creation,
                "create": lambda: self.creation(*QUIET),
            }
            if self.fits(lambda: self.manage(theirs, *SYNCDB)):
                trials["noop_syncdb"] = lambda: self.manage(theirs, *SYNCDB).seconds
                trials["create_syncdb"] = lambda: self.creation(*SYNCDB)
            seconds = stopwatch.medians(trials, rounds)
            sent = self.statements(ours)
        return Cost(models=self.project.models, sent=sent, pieces=self.pieces, **seconds)

    def fits(self, creation: Callable[[], object]) -> bool:
        """Tell whether the server can hold the locks of a creation in one transaction."""
        try:
            creation()
        except stopwatch.Failed as failure:
            if "max_locks_per_transaction" not in str(failure):
                raise
            return False
        return True

    def write_script(self) -> None:
        """Write the DDL for psql, cut into transactions where the server can't hold the locks of one."""
        with self.server.database() as database:
            printed = self.manage(database, "automigrate", "--plan", "--format", "sql").stdout
        self.script.write_text(printed)
        if not self.fits(self.creation):
            self.pieces = True
            lines = printed.splitlines()
            pieces = ("\n".join(lines[start : start + PIECE]) for start in range(0, len(lines), PIECE))
            self.script.write_text("".join(f"BEGIN;\n{piece}\nCOMMIT;\n" for piece in pieces))

    def statements(self, database: str) -> int:
        """Count what a no-op sends: queries, and executions of the extended protocol."""
        log = self.project.directory / "wire.log"
        self.manage(database, *QUIET, WIRE_LOG=str(log))
        messages = [line.split("\t")[1:4] for line in log.read_text().splitlines() if "\t" in line]
        return sum(sender == "F" and kind in {"Query", "Execute"} for sender, _, kind in messages)


def table(costs: Sequence[Cost]) -> str:
    """Return the costs as a Markdown table: seconds, then ratios."""
    head = ["models", "check", "no-op", "syncdb", "no-op / check", "sent"]
    head += ["psql -1", "create", "syncdb", "(create - check) / psql", "(syncdb - check) / psql"]
    rows = [head, ["---:"] * len(head)]
    rows += [_row(cost) for cost in costs]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _row(cost: Cost) -> list[str]:
    return [
        f"{cost.models}",
        *(f"{seconds:.3f}" for seconds in (cost.check, cost.noop, cost.noop_syncdb)),
        f"{cost.noop_ratio:.2f}",
        f"{cost.sent}",
        f"{cost.psql:.3f}" + "*" * cost.pieces,
        *(f"{seconds:.3f}" for seconds in (cost.create, cost.create_syncdb)),
        f"{cost.creation_ratio:.2f}",
        f"{(cost.create_syncdb - cost.check) / cost.psql:.2f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=int, nargs="*", default=SIZES)
    parser.add_argument("--rounds", type=int, default=7, help="at most 3 for more than 1000 models")
    parser.add_argument("--ratios", action="store_true", help="exit 1 when a bound is broken")
    options = parser.parse_args()
    costs = []
    with tempfile.TemporaryDirectory() as directory, postgres.server(Path(directory)) as server:
        for models in options.models:
            project = sample_project.generate(Path(directory) / f"models_{models}", models)
            rounds = options.rounds if models <= max(BOUND_SIZES) else min(options.rounds, 3)
            costs.append(Bench(project, server).measure(rounds))
            print(f"{models} models measured", file=sys.stderr)
        print(f"PostgreSQL {server.version}, Python {sys.version.split()[0]}, seconds\n\n{table(costs)}")
    broken = [f"{cost.models} models: {bound}" for cost in costs for bound in cost.broken()]
    if options.ratios and broken:
        raise SystemExit("\n".join(broken))


if __name__ == "__main__":
    main()
