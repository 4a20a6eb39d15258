import pytest
from django.db import connection, transaction

from core_tables.search.route import BREADTH, BROADEST, Plan, choose, depth, surely_exact, walk


@pytest.mark.parametrize(
    ("rows", "total", "plan"),
    [
        (0, 0, Plan.EXACT),
        (2_000, 1_000_000, Plan.EXACT),
        (2_001, 2_001, Plan.INDEX),
        (2_500, 100_000, Plan.EXACT),  # 40 candidates for each row in scope
        (10_000, 100_000, Plan.INDEX),
        (9_000, 1_000_000, Plan.EXACT),
        (11_000, 1_000_000, Plan.INDEX),
        (100_000, 100_000, Plan.INDEX),
        (5_000, -1, Plan.INDEX),  # a table that was never analysed
    ],
)
def test_the_cheaper_plan_is_chosen(rows, total, plan):
    assert choose(rows, total, limit=10) is plan
    assert plan is Plan.EXACT or not surely_exact(rows)


def test_more_rows_asked_for_make_the_index_dearer():
    assert choose(10_000, 100_000, limit=10) is Plan.INDEX
    assert choose(10_000, 100_000, limit=200) is Plan.EXACT


@pytest.mark.parametrize(
    ("rows", "total", "limit", "asked"),
    [(100_000, 100_000, 10, 20), (10_000, 100_000, 10, 20), (11_000, 1_000_000, 10, 10), (9_000, 9_000, 900, 900)],
)
def test_a_walk_is_asked_for_more_than_are_wanted_where_it_can_give_them(rows, total, limit, asked):
    assert depth(rows, total, limit) == asked


def setting(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("rows", "limit", "breadth"),
    [(5_000, 10, BREADTH), (5_000, 150, 600), (5_000, 5_000, BROADEST), (0, 1, BREADTH)],
)
def test_the_index_is_walked_broadly_enough(store, rows, limit, breadth):
    with walk("default", rows, limit) as (_, total):
        assert (total, setting("hnsw.ef_search")) == (rows, str(breadth))


def test_a_small_share_of_a_large_table_takes_a_broader_walk(store):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_class SET reltuples = 200000 WHERE oid = 'embeddings'::regclass")
    with walk("default", 10_000, 10) as (_, total):
        assert (total, setting("hnsw.ef_search")) == (200_000, "800")


def test_the_settings_end_with_the_block_also_within_a_transaction(store):
    with transaction.atomic():
        with walk("default", 10, 10):
            assert (setting("enable_sort"), setting("hnsw.iterative_scan")) == ("off", "off")
        assert setting("enable_sort") == "on"
