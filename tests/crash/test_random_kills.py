"""A run that ends at any moment, by SIGKILL or by the loss of a connection: the next run finishes what it left."""

import json
import random
import time

import pytest

from tests.crash.child import KEEPER, say
from tests.crash.conftest import KILLS

SEED = 20261123
ROWS = 10_000
# The run's lock tells its keeper; the other connection is the older one. Waits until the backend is gone.
TERMINATE = f"""
SELECT pg_terminate_backend(pid, 5000) FROM (
    SELECT pid FROM pg_stat_activity a
     WHERE datname = current_database() AND application_name = %s AND %s = {KEEPER} ORDER BY backend_start LIMIT 1) one
"""
# Of a killed client; left alone, they first finish what they are at.
BACKENDS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'crash'
"""
LOST = "The connection that held automigrate's lock has died, so nothing more was started; run it again."
# A connection that dies while it is being made can't be told from one that could not be had.
DEATHS = {"main": ("The database failed: ", "Can't connect to the database "), "keeper": LOST}


def moments(count, seconds, seed):
    """Return moments of a run, and print what makes them come again."""
    say(f"{count} moments in {seconds:.2f} s, seed {seed}")
    chance = random.Random(seed)
    return [chance.uniform(0, seconds) for _ in range(count)]


def test_killed_at_random_moments(ground):
    extension = ground.ask("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == [(1,)]
    whole, schema = ground.undisturbed(ROWS, extension=extension)
    wrong, killed = {}, 0
    for number, moment in enumerate(moments(KILLS, whole["seconds"], SEED)):
        data = ground.reset(ROWS)
        code, words = ground.run(extension=extension, kill_after=moment)
        if number % 2:
            ground.ask(BACKENDS)
        assert code in {-9, 0}, words
        killed += code == -9
        if trouble := ground.heal(data, schema, extension=extension):
            wrong[moment] = trouble
    say(f"{killed} of {KILLS} killed before their end")
    assert wrong == {}
    assert killed > KILLS / 2


@pytest.mark.parametrize("who", ["main", "keeper"])
def test_connections_lost_at_random_moments(ground, who):
    whole, schema = ground.undisturbed(ROWS)
    wrong, lost, tries = {}, 0, KILLS // 3
    for number, moment in enumerate(moments(tries, whole["seconds"], SEED)):
        data = ground.reset(ROWS)
        ground.start(name=f"crash {number}")
        time.sleep(moment)
        terminated = ground.ask(TERMINATE, f"crash {number}", who == "keeper")
        gone = time.monotonic()
        code, words = ground.end()
        *screen, last = words.splitlines()
        lost += code != 0
        if code:
            assert terminated
            assert len(screen) == 1
            assert screen[0].startswith(DEATHS[who])
        if terminated and who == "keeper":
            assert sum(end > gone for *_, end in json.loads(last)["ends"]) <= 1
        if trouble := ground.heal(data, schema):
            wrong[moment] = trouble
    say(f"{lost} of {tries} stopped")
    assert wrong == {}
    assert lost > 0
