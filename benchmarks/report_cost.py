"""What a thorough report costs, beside starting Django: `automigrate --check` on a database that has all there is to.

    python -m benchmarks.report_cost                    # 100, 300, 1000 and 3000 models
    python -m benchmarks.report_cost 100 --rounds 9
    python -m benchmarks.report_cost --ratios           # exit 1 when a bound is broken

Its models have what only the server can compare: defaults, checks, generated columns, comments, partial indexes and
indexes on expressions. Each number is the wall time of a process, the median of several rounds in alternating order,
in which all sizes take turns: what else the machine does hits all of them.
A report that finds anything in what automigrate just made is an error. The bound is that the report takes linear time:

    a table at 1000 models / a table at 100                          at most 1.5

where a table takes (report - check) / models.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import postgres, sample_project, stopwatch

SIZES = (100, 300, 1000, 3000)
BOUND_SIZES, BOUND = (100, 1000), 1.5
QUIET = ("automigrate", "--verbosity", "0")

# Twelve columns, eight of them with something to compare, three indexes, and four constraints beside the keys.
MODEL = """

class {name}(models.Model):
    owner = models.ForeignKey("{owner}", models.CASCADE, related_name="+")
    parent = models.ForeignKey("{parent}", models.SET_NULL, null=True, related_name="+", db_index=False)
    title = models.CharField(max_length=200, db_default="untitled", db_comment="As its owner wrote it")
    body = models.TextField(blank=True, db_default="")
    details = models.JSONField(db_default=models.Value({{"from": "{name}"}}, models.JSONField()))
    position = models.PositiveIntegerField(db_default=0)
    weight = models.DecimalField(max_digits=9, decimal_places=3, null=True)
    visible = models.BooleanField(db_default=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    ended_at = models.DateTimeField(null=True)
    folded = models.GeneratedField(
        expression=models.functions.Lower("title"), output_field=models.TextField(), db_persist=True
    )

    class Meta:
        db_table_comment = "Generated"
        constraints = [
            models.CheckConstraint(condition=models.Q(weight__gte=0, weight__lt=1000), name="{index}_weight"),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(ended_at__gte=models.F("created_at")), name="{index}_ends"
            ),
            models.UniqueConstraint(
                fields=["owner", "position"], condition=models.Q(visible=True), name="{index}_place"
            ),
            models.UniqueConstraint(models.functions.Lower("title"), "owner", name="{index}_title"),
        ]
        indexes = [
            models.Index(fields=["parent", "-created_at"], name="{index}"),
            models.Index(fields=["created_at"], condition=models.Q(visible=True, ended_at=None), name="{index}_open"),
            models.Index(models.functions.Upper("title"), models.F("position").desc(), name="{index}_up"),
        ]
"""


class Cost(NamedTuple):
    """Seconds at one size."""

    models: int
    check: float
    noop: float
    report: float

    @property
    def ratio(self) -> float:
        return self.report / self.check

    @property
    def of_1000(self) -> float:
        """Return what the report adds for each 1000 tables."""
        return (self.report - self.check) / self.models * 1000


def measure(projects: Sequence[sample_project.Project], server: postgres.Server, rounds: int) -> list[Cost]:
    with ExitStack() as stack:
        trials: dict[str, stopwatch.Trial] = {}
        for project in projects:
            manage = partial(_manage, project, server.entry(stack.enter_context(server.database())))
            _converge(project, manage)
            trials[f"check {project.models}"] = lambda manage=manage: manage("check").seconds
            trials[f"noop {project.models}"] = lambda manage=manage: manage(*QUIET).seconds
            trials[f"report {project.models}"] = lambda manage=manage: manage(*QUIET, "--check").seconds
            print(f"{project.models} models made", file=sys.stderr, flush=True)
        seconds = stopwatch.medians(trials, rounds)
    return [
        Cost(project.models, *(seconds[f"{trial} {project.models}"] for trial in ("check", "noop", "report")))
        for project in projects
    ]


def _manage(project: sample_project.Project, entry: Mapping[str, Any], *arguments: str) -> stopwatch.Done:
    return stopwatch.run([sys.executable, "manage.py", *arguments], project.directory, project.environment(entry))


def _converge(project: sample_project.Project, manage: Callable[..., stopwatch.Done]) -> None:
    """Make the schema, which also warms everything, and let nothing be found in it."""
    manage(*QUIET)
    findings = json.loads(manage("automigrate", "--check", "--format", "json").stdout)["findings"]
    if findings:
        raise SystemExit(f"{project.models} models: findings in what automigrate itself made: {findings[:3]}")


def table(costs: Sequence[Cost]) -> str:
    """Return the costs as a Markdown table."""
    head = ["models", "check", "no-op", "report", "report / check", "(report - check) / 1000 tables"]
    rows = [head, ["---:"] * len(head)]
    for cost in costs:
        seconds = [f"{one:.3f}" for one in (cost.check, cost.noop, cost.report)]
        rows.append([f"{cost.models}", *seconds, f"{cost.ratio:.2f}", f"{cost.of_1000:.3f}"])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def growth(costs: Sequence[Cost]) -> float:
    """Return how much more a table takes among many than among few: 1.0 is linear."""
    by_size = {cost.models: cost.of_1000 for cost in costs}
    few, many = BOUND_SIZES
    return by_size[many] / by_size[few]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=int, nargs="*", default=SIZES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ratios", action="store_true", help="exit 1 when the bound is broken; needs 100 and 1000")
    options = parser.parse_args()
    if options.ratios and not {*BOUND_SIZES} <= {*options.models}:
        parser.error("--ratios compares 100 models with 1000; measure both")
    with tempfile.TemporaryDirectory() as directory, postgres.server(Path(directory)) as server:
        projects = [sample_project.generate(Path(directory) / f"{size}", size, MODEL) for size in options.models]
        costs = measure(projects, server, options.rounds)
        print(f"PostgreSQL {server.version}, Python {sys.version.split()[0]}, seconds\n\n{table(costs)}")
    if options.ratios and growth(costs) > BOUND:
        raise SystemExit(f"a table takes {growth(costs):.2f} times as long among 1000 as among 100 > {BOUND}")


if __name__ == "__main__":
    main()
