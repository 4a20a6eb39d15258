"""A run as it happens, for a person: finished steps as lines, a long one as a bar, what it waits for on stderr."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

from django.core.management.base import OutputWrapper

from agentsql.renderers import text_progress, text_step
from agentsql.report import Event, Notice, Outcome, Progress, Result

if TYPE_CHECKING:
    from django.core.management.color import Style

PLAIN_SECONDS = 10.0  # between two lines on a step, where a bar can't be drawn
CLEAR = "\r\x1b[K"  # back to the start of the line, and erase it


class Console:
    """Shows events on the command's streams: notices, steps with one of these results, and how far a long one is.

    No progress at verbosity 0, or where no step is shown because a program reads along.
    """

    def __init__(
        self, stdout: OutputWrapper, stderr: OutputWrapper, style: Style, verbosity: int, *, steps: Collection[Result]
    ) -> None:
        self.stdout, self.stderr, self.style = stdout, stderr, style
        self.verbosity = verbosity
        self.steps = steps
        self.previous: Outcome | None = None
        self.bar = False  # one is drawn now
        self.next_line = PLAIN_SECONDS

    def tell(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Notice):
            self._clear()
            self.stderr.write(_printable(event.text, self.stderr), self.style.WARNING)
        elif isinstance(event, Progress):
            self._progress(event)
        else:
            self._clear()
            self.next_line = PLAIN_SECONDS
            if event.result in self.steps:
                self.say(text_step(event, self.previous, self.style, self.verbosity))
                self.previous = event

    def say(self, words: str) -> None:
        """Print now, before what follows on stderr; a reader that has left (`| head`) or a full disk stops no run."""
        try:
            if words:
                self.stdout.write(_printable(words, self.stdout))
            self.stdout.flush()
        except (OSError, AttributeError):  # AttributeError: Python has no stdout when it is closed
            self.stdout = OutputWrapper(io.StringIO())
            if sys.stdout is not None:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _progress(self, event: Progress) -> None:
        if not self.steps or self.verbosity == 0:
            return
        if self.stderr.isatty():
            self.bar = True
            self.stderr.write(CLEAR + _printable(text_progress(event), self.stderr), str, ending="")
            self.stderr.flush()
        elif event.seconds >= self.next_line:
            self.next_line = event.seconds + PLAIN_SECONDS
            self.say(text_progress(event))

    def _clear(self) -> None:
        if self.bar:
            self.stderr.write(CLEAR, str, ending="")
            self.bar = False


def _printable(words: str, stream: OutputWrapper) -> str:
    """Spell out what the stream's encoding has no character for."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return words.encode(encoding, "backslashreplace").decode(encoding)
