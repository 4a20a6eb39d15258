import os

import pytest


def pytest_collection_modifyitems(items):
    """Latencies mean something only where nothing else runs."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        alone = pytest.mark.skip(reason="measures latencies: run `pytest tests/hot` by itself")
        for item in items:
            if item.path.parent.name == "hot":
                item.add_marker(alone)
