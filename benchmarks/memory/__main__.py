"""Measure, print, and say what is not as promised."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from benchmarks import memory, postgres
from benchmarks.memory import corpus, growth, peers, plain, race, stores

SIZES = (10_000, 50_000)
GROWTH = (10_000, 100_000, 1_000_000)
SETTINGS = {"shared_buffers": "1GB", "maintenance_work_mem": "2GB", "max_wal_size": "8GB"}
SEARCH_BOUND, ADD_BOUND, RECALL_BOUND = 1.15, 1.5, 0.99
ROUNDS = 3


@contextmanager
def tuned(directory: Path) -> Iterator[postgres.Server]:
    """Yield the server that DATABASE_URL names as it is, or one of our own with settings for a few GB of memory."""
    with postgres.server(directory) as server:
        if os.environ.get("DATABASE_URL"):
            yield server
            return
        with server.session() as session:
            for name, value in SETTINGS.items():
                session.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    with postgres.server(directory) as server:
        yield server


def beside_psycopg(server: postgres.Server, memories: corpus.Corpus, queries: int) -> list[str]:
    """Print ours beside psycopg; return which promises are broken."""
    with stores.tables(server) as copied, stores.tables(server) as name:
        ours, there = stores.ours(), server.conninfo(name)
        with plain.plain(server.conninfo(copied)) as copy:
            rates = race.fill([ours, copy], memories)
        stores.analyzed(server, name)
        with (
            plain.plain(there) as asking,
            plain.plain(there, plain.PREPARED, prepared=True) as prepared,
            plain.plain(there, plain.SELECT, asking=False) as told,
        ):
            races = {
                scope: race.ask([ours, asking, prepared, told], corpus.queries(memories, scope, queries), scope, ROUNDS)
                for scope in corpus.SCOPES
            }
    return list(_judged(rates, races))


def _judged(rates: Mapping[str, float], races: race.Races) -> Iterator[str]:
    slower = rates[plain.PSYCOPG] / rates["ours"]
    print(f"bulk_add: {rates['ours']:,.0f} rows/s, COPY: {rates[plain.PSYCOPG]:,.0f} rows/s: {slower:.2f} as long\n")
    if slower > ADD_BOUND:
        yield f"bulk_add takes {slower:.2f} times as long as COPY > {ADD_BOUND}"
    rows = []
    for scope, found in races.items():
        ours, others = found["ours"], [found[name] for name in (plain.PSYCOPG, plain.PREPARED, plain.SELECT)]
        row = [scope.name, f"{ours.rows:.1f}", f"{ours.recall:.3f}", race.milliseconds(ours.p50)]
        row += [race.milliseconds(ours.p95), race.milliseconds(others[0].p95)]
        for other in others:
            row += [race.milliseconds(other.p50), f"{race.ratio(ours, other):.2f}"]
        rows.append(row)
        if race.ratio(ours, others[0]) > SEARCH_BOUND:
            yield f"a search of {scope.name} takes {race.ratio(ours, others[0]):.2f} times as long > {SEARCH_BOUND}"
        if ours.recall < RECALL_BOUND:
            yield f"a search of {scope.name} finds {ours.recall:.3f} of the nearest < {RECALL_BOUND}"
    head = ["scope", "rows", "recall@10", "ours p50 ms", "p95", "psycopg p95", "psycopg p50", "ratio"]
    print(race.table([*head, "prepared p50", "ratio", "SELECT only p50", "ratio"], rows) + "\n")


def beside_others(server: postgres.Server, memories: corpus.Corpus, queries: int) -> None:
    """Print ours beside the other stores that are installed, and where ours is not ahead."""
    with ExitStack() as stack:
        stack.enter_context(stores.tables(server))
        rivals = [stores.ours()]
        for name, enter in peers.PEERS.items():
            try:
                rivals.append(stack.enter_context(enter(server, stack.enter_context(server.database()))))
            except ImportError as error:
                print(f"{name} is not measured: {error}")
        rates = race.fill(rivals, memories)
        with server.session() as session:
            databases = session.execute("SELECT datname FROM pg_database WHERE datname LIKE 'bench%'").fetchall()
        for (database,) in databases:
            stores.analyzed(server, database)
        races = {scope: race.ask(rivals, corpus.queries(memories, scope, queries), scope) for scope in corpus.USUAL}
        print(_compared(rates, races))
        for rival in rivals:
            if rival.note:
                print(f"{rival.name}: {rival.note}.")


def _compared(rates: Mapping[str, float], races: race.Races) -> str:
    lines = [[name, f"{rate:,.0f}", f"{rates['ours'] / rate:.2f}"] for name, rate in rates.items()]
    rows: list[list[str]] = []
    behind = [f"{name} stores {rate:,.0f} rows/s" for name, rate in rates.items() if rate > rates["ours"]]
    for scope, found in races.items():
        for name, one in found.items():
            times = [race.milliseconds(one.p50), race.milliseconds(one.p95), f"{one.p50 / found['ours'].p50:.2f}"]
            rows.append([scope.name, name, *times, f"{one.recall:.3f}", f"{one.rows:.1f}"])
            if one.p50 < found["ours"].p50 or one.recall > found["ours"].recall:
                behind.append(
                    f"{scope.name}: {name} takes {one.p50 / found['ours'].p50:.2f} of our p50, "
                    f"with recall {one.recall:.3f} beside {found['ours'].recall:.3f}"
                )
    ingest = race.table(["store", "rows/s", "ours / it"], lines)
    search = race.table(["scope", "store", "p50 ms", "p95", "p50 / ours", "recall@10", "rows"], rows)
    return "\n".join([ingest, "", search, "", "Not ahead:", *(f"- {line}" for line in behind or ["nowhere"])])


def shown(server: postgres.Server) -> str:
    """Return what was measured on."""
    names = ["shared_buffers", "maintenance_work_mem", "work_mem", "synchronous_commit", "fsync"]
    with server.session() as session:
        values = [f"{name} {session.execute(f'SHOW {name}').fetchone()[0]}" for name in names]
    versions = f"PostgreSQL {server.version}, psycopg {psycopg.__version__}, Python {sys.version.split()[0]}"
    return f"{versions}, {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}; {', '.join(values)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=memory.__doc__.splitlines()[0])
    parser.add_argument("memories", type=int, nargs="*")
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--bound", action="store_true", help="exit 1 when a promise is broken")
    parser.add_argument("--alone", action="store_true", help="leave the other stores out")
    parser.add_argument("--growth", type=Path, metavar="PICTURE", help="grow the tables instead, and draw that")
    options = parser.parse_args()
    broken: list[str] = []
    with tempfile.TemporaryDirectory() as directory, tuned(Path(directory)) as server:
        stores.set_up(server)
        print(shown(server), flush=True)
        if options.growth:
            growth.run(server, options.memories or GROWTH, options.queries, options.growth)
            return
        for size in options.memories or SIZES:
            memories = corpus.generate(size)
            print(f"## {size:,} memories\n")
            broken += beside_psycopg(server, memories, options.queries)
            if not options.alone:
                beside_others(server, memories, options.queries)
            print(flush=True)
    print(*broken, sep="\n")
    if options.bound and broken:
        raise SystemExit("a promise is broken")


if __name__ == "__main__":
    main()
