"""What content and metadata may hold, before any database is asked."""

import json

import pytest

from core_tables.contents import DEEPEST, check_row, content_json, metadata_json
from core_tables.exceptions import InvalidContent
from core_tables.models import Room


def nested(depth, last=1):
    """An object with this many objects and lists within each other, itself counted."""
    for level in range(depth - 1):
        last = [last] if level % 2 else (last, "[{")
    return {"text": last}


def test_json_has_a_greatest_depth():
    assert json.loads(content_json(nested(DEEPEST)))
    assert metadata_json({f"[{n}": [{}] for n in range(1_000)})
    for refused in (content_json, metadata_json, lambda value: check_row(Room(metadata=value))):
        with pytest.raises(InvalidContent, match="nested more than 100 deep"):
            refused(nested(DEEPEST + 1))
