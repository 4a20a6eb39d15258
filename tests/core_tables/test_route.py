import pytest
from django.db import connection, transaction

from core_tables.search.route import BREADTH, BROADEST, Plan, choose, local, settings, surely_exact


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


@pytest.mark.parametrize(("limit", "breadth"), [(1, BREADTH), (10, BREADTH), (300, 600), (5_000, BROADEST)])
def test_the_index_is_walked_broadly_enough(limit, breadth):
    assert settings(limit)["hnsw.ef_search"] == str(breadth)


def test_the_settings_end_with_the_block_also_within_a_transaction(store):
    def sort():
        with connection.cursor() as cursor:
            cursor.execute("SHOW enable_sort")
            return cursor.fetchone()[0]

    with transaction.atomic():
        with local("default", settings(10)):
            assert sort() == "off"
        assert sort() == "on"
