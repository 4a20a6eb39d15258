"""How far a long command is: a bar on a terminal, else a line every ten seconds."""

import time

from django.core.management.base import OutputWrapper

BAR = 30  # characters
PLAIN_SECONDS = 10.0  # between two lines, where a bar can't be drawn
CLEAR = "\r\x1b[K"  # back to the start of the line, and erase it


class Progress:
    """Tells on a stream, for people, how many of so many are done; silent at verbosity 0."""

    def __init__(self, stream: OutputWrapper, what: str, total: int, *, verbosity: int = 1) -> None:
        self.stream, self.what, self.total = stream, what, total
        self.shown = verbosity > 0
        self.done = 0
        self.started = time.monotonic()
        self.next_line = PLAIN_SECONDS

    def add(self, count: int) -> None:
        """Note that so many more are done."""
        self.done += count
        if not self.shown:
            return
        seconds = time.monotonic() - self.started
        if self.stream.isatty():
            self.stream.write(CLEAR + self._line(seconds), str, ending="")
            self.stream.flush()
        elif seconds >= self.next_line:
            self.next_line = seconds + PLAIN_SECONDS
            self.stream.write(self._line(seconds), str)
            self.stream.flush()

    def clear(self) -> None:
        """Take the bar away before something else is written."""
        if self.shown and self.done and self.stream.isatty():
            self.stream.write(CLEAR, str, ending="")
            self.stream.flush()

    def _line(self, seconds: float) -> str:
        share = min(self.done / self.total, 1) if self.total else 1
        bar = "#" * round(share * BAR)
        return f"{self.what} [{bar:<{BAR}}] {share:4.0%}, {self.done:,} of {self.total:,}, {seconds:.0f} s"
