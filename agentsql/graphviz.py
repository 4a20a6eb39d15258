"""A picture of a schema as Graphviz's language, and as the SVG that its `dot` draws of that.

Names may hold anything: none of them is an identifier in what is written here, and what can't be printed is replaced.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import lru_cache
from html import escape
from itertools import groupby
from shutil import which

from agentsql.diagram import Box, Picture
from agentsql.exceptions import AgentSQLError
from agentsql.names import TableName

PROGRAM = "dot"
STDOUT = "-"
PATIENCE_SECONDS = 60.0
MISSING = (
    "Graphviz is not installed here: there is no program `dot` on PATH. Install it (Debian: apt install graphviz; "
    "macOS: brew install graphviz), or write the source (`--diagram schema.dot`) and draw it elsewhere."
)
# Read on white and on black; the style below does better where it is understood.
INK, LINE, SHADE = "#767676", "#808080", "#80808026"
STYLE = (
    "<style>text { fill: #222 } @media (prefers-color-scheme: dark) { text { fill: #e8e8e8 } "
    ".edge path, .edge polygon { stroke: #a0a0a0 } }</style>"
)
HEAD = f"""\
digraph schema {{
  graph [rankdir=LR, bgcolor=transparent, ranksep=1, color="{LINE}", fontcolor="{INK}", fontname="Helvetica"];
  node [shape=plain, color="{LINE}", fontcolor="{INK}", fontname="Helvetica", fontsize=11];
  edge [color="{LINE}", arrowsize=0.6];
"""
UNNEEDED = re.compile(r"<!--.*?-->\s*|<title>.*?</title>\s*", re.DOTALL)


def dot(drawn: Picture) -> str:
    """Return the source for Graphviz; the same picture gives the same text."""
    places = {box.table: f"t{number}" for number, box in enumerate(drawn.boxes)}
    cells = {(box.table, cell.name): number for box in drawn.boxes for number, cell in enumerate(box.cells)}

    def port(table: TableName, columns: tuple[str, ...], side: str) -> str:
        """Return where an arrow ends: at its column; at the table where there are several, or it is not ours."""
        number = cells.get((table, columns[0])) if len(columns) == 1 else None
        return places[table] if number is None else f"{places[table]}:{side}{number}:{side}"

    lines = [HEAD.rstrip()]
    for number, (app, boxes) in enumerate(groupby(drawn.boxes, key=lambda box: box.app)):
        nodes = [f"  {places[box.table]} [label=<{_label(box)}>];" for box in boxes]
        lines += _framed(number, app, nodes) if app else nodes
    for table, columns, target, target_columns in drawn.arrows:
        lines.append(f"  {port(table, columns, 'e')} -> {port(target, target_columns, 'w')};")
    return "\n".join([*lines, "}", ""])


def _framed(number: int, app: str, nodes: Iterable[str]) -> Iterator[str]:
    yield f"  subgraph cluster_{number} {{"
    yield f"    label=<<B>{_text(app)}</B>>; style=rounded; margin=16;"
    yield from (f"  {node}" for node in nodes)
    yield "  }"


def _label(box: Box) -> str:
    rows = [f'<TR><TD COLSPAN="3" BGCOLOR="{SHADE}"><B>{_text(str(box.table))}</B></TD></TR>']
    for number, cell in enumerate(box.cells):
        kind = f"{cell.type}{' null' if cell.null else ''}"
        rows.append(f"<TR>{_cell(cell.name, f'w{number}')}{_cell(kind)}{_cell(cell.mark, f'e{number}')}</TR>")
    return f'<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="3">{"".join(rows)}</TABLE>'


def _cell(words: str, port: str = "") -> str:
    place = f' PORT="{port}"' if port else ""
    return f'<TD ALIGN="LEFT"{place}>{_text(words)}</TD>'


def _text(words: str) -> str:
    """Return words for a label: Graphviz reads HTML there, and in it backslashes of its own."""
    plain = "".join(letter if letter.isprintable() else "\ufffd" for letter in words)
    return escape(plain).replace("\\", "\\\\") or " "


def rendered(drawn: Picture, file: str) -> str:
    """Return what to write into a file of this name: a drawing into .svg, the source into .dot and to STDOUT.

    Raises:
        AgentSQLError: the name ends otherwise, or Graphviz can't draw.
    """
    if file.endswith(".svg"):
        return svg(dot(drawn))
    if file == STDOUT or file.endswith(".dot"):
        return dot(drawn)
    raise AgentSQLError(
        f"A diagram is written as .svg or .dot, not as {file!r}. Graphviz makes other formats of its source: "
        f"manage.py automigrate --diagram - | dot -Tpdf -o schema.pdf"
    )


@lru_cache(maxsize=8)
def svg(source: str) -> str:
    """Let Graphviz draw a picture's source: one `svg` element, transparent, that follows a dark theme.

    Raises:
        AgentSQLError: Graphviz is missing, or fails.
    """
    program = which(PROGRAM)
    if program is None:
        raise AgentSQLError(MISSING)
    try:
        done = subprocess.run(  # noqa: S603 our own text, on stdin
            [program, "-Tsvg"], input=source.encode(), capture_output=True, check=True, timeout=PATIENCE_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise AgentSQLError(
            f"Graphviz did not finish the picture within {error.timeout:g} s: draw fewer plugins, "
            "or write the source (`--diagram schema.dot`) and draw it with another of its programs, such as sfdp."
        ) from error
    except (OSError, subprocess.CalledProcessError) as error:
        words = getattr(error, "stderr", b"") or b""
        raise AgentSQLError(f"Graphviz failed: {words.decode(errors='replace').strip() or error}") from error
    drawn = done.stdout.decode()
    opening, _, rest = UNNEEDED.sub("", drawn[drawn.index("<svg") :]).partition(">")
    return f"{opening}>\n<title>Schema</title>\n{STYLE}{rest}"


def available() -> bool:
    """Tell whether pictures can be drawn here."""
    return which(PROGRAM) is not None
