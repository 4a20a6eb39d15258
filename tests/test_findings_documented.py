"""docs/findings.md has each id once, with the levels that the code gives it."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import agentsql

SOURCE = Path(agentsql.__file__).parent
ROWS = re.compile(r"^\| ([A-Z]\d{3}) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
LEVELS = {"Error": "error", "Warning": "warning", "Info": "information"}


def made() -> Iterator[tuple[str, set[str]]]:
    """Yield each id that a call gives a message, with the levels that are named where it is called."""
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for function in functions:
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                for keyword in call.keywords:
                    value = getattr(keyword.value, "value", None)
                    if keyword.arg == "id" and str(value).startswith("agentsql."):
                        yield str(value).removeprefix("agentsql."), levels(call.func) or levels(function)


def levels(node: ast.AST) -> set[str]:
    return {LEVELS[name.id] for name in ast.walk(node) if isinstance(name, ast.Name) and name.id in LEVELS}


def documented() -> list[tuple[str, str]]:
    text = (SOURCE.parent / "docs/findings.md").read_text()
    return [(row[1], row[2]) for row in ROWS.finditer(text)]


def test_each_id_has_one_row():
    ids = Counter(id_ for id_, _ in documented())
    assert ids.keys() == {id_ for id_, _ in made()}
    assert set(ids.values()) == {1}


def test_each_row_has_the_levels():
    told = {
        id_: {level for level in LEVELS.values() if re.search(rf"\b{level}\b", words)} for id_, words in documented()
    }
    of_code: dict[str, set[str]] = {}
    for id_, found in made():
        of_code.setdefault(id_, set()).update(found)
    assert all(told.values())
    assert {id_: told[id_] for id_, found in of_code.items() if found} == {id_: s for id_, s in of_code.items() if s}
