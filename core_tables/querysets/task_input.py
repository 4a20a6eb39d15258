"""What `schedule()` and `claim()` are given: what the database would refuse, or a worker fall over, is told here."""

import datetime
import operator
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from core_tables import contents
from core_tables.exceptions import InvalidContent
from core_tables.pickled import UNFIT

# By this tag elizaOS finds what to run, and what runs once it deletes afterwards.
FOREIGN_TAG = "queue"
NOTHING = datetime.timedelta(0)
MOST_ATTEMPTS = 2**31 - 2  # one less than the column takes, for a claim counts one more
YEARS = range(2, 9999)  # of a slot: Python's first and last year are not whole in every time zone


def texts(given: Iterable[str], what: str) -> list[str]:
    """Return texts as a list; a lone one is meant as a whole, not letter by letter.

    Raises:
        TypeError: one of them is no text.
    """
    found = [given] if isinstance(given, str) else list(given)
    for text in found:
        if not isinstance(text, str):
            raise TypeError(f"{what} are texts, not {type(text).__name__}: {text!r}.")
    return found


def check_name(name: str) -> None:
    """Refuse what no task can be called.

    Raises:
        InvalidContent: it is no text for an index, or ends in `*`, which stands for all names that begin so.
    """
    contents.check_text(name, "The name of a task")
    if name.endswith("*"):
        raise InvalidContent(f"The name of a task is {name!r}: take the * away, which stands for all that begin so.")


def check_words(name: str, tags: list[str], metadata: dict[str, Any], description: str | None) -> None:
    """Refuse what the columns of a task don't take.

    Raises:
        InvalidContent: a text or the metadata can't be stored.
        ValueError: a tag is "queue".
    """
    check_name(name)
    if FOREIGN_TAG in tags:
        raise ValueError(f"Task {name!r} must not be tagged {FOREIGN_TAG!r}: elizaOS runs and deletes such tasks.")
    for tag in tags:
        contents.check_text(tag, f"A tag of task {name!r}")
    contents._json(metadata, f"The metadata of task {name!r}", contents.CONTENT_BYTES)
    if description and UNFIT.search(description):
        raise InvalidContent(f"The description of task {name!r} holds a NUL or half a surrogate pair: take it out.")


def first_slot(
    name: str, at: datetime.datetime | datetime.timedelta | None, every: datetime.timedelta | None
) -> datetime.datetime:
    """Return when a task is due first.

    Raises:
        TypeError: `at` is neither a time nor a span, or `every` is no span.
        ValueError: `every` is not above 0, or either leads to where no datetime does.
    """
    if not isinstance(at, datetime.datetime | datetime.timedelta | None):
        raise TypeError(f"Task {name!r}: `at` is a datetime, a timedelta from now or None, not {type(at).__name__}.")
    if not isinstance(every, datetime.timedelta | None):
        raise TypeError(f"Task {name!r}: `every` is a timedelta or None, not {type(every).__name__}.")
    if every is not None and every <= NOTHING:
        raise ValueError(f"Task {name!r}: `every` has to be above 0.")
    try:
        due = at if isinstance(at, datetime.datetime) else timezone.now() + (at or NOTHING)
        following = due + (every or NOTHING)
    except OverflowError:
        pass
    else:
        if due.year in YEARS and following.year in YEARS:
            return due
    raise ValueError(f"Task {name!r}: `at` and one `every` after it have to be in the years {YEARS[0]} to {YEARS[-1]}.")


def check_attempts(name: str, most: int) -> None:
    """Refuse what is no number of attempts.

    Raises:
        TypeError, ValueError: it is no whole number from 1 on that the column takes.
    """
    if not 1 <= operator.index(most) <= MOST_ATTEMPTS:
        raise ValueError(f"Task {name!r}: max_attempts has to be 1 or more, and {MOST_ATTEMPTS:,} at most.")


def check_lease(lease: datetime.timedelta) -> None:
    """Refuse what is no span of time.

    Raises:
        TypeError: it is something else, such as a number.
    """
    if not isinstance(lease, datetime.timedelta):
        raise TypeError(f"A lease is a timedelta, not {type(lease).__name__}: timedelta(minutes=5).")


def checked_limit(limit: int) -> int:
    """Return how many rows to take, as PostgreSQL takes it.

    Raises:
        TypeError, ValueError: it is no whole number from 0 on.
    """
    if (number := operator.index(limit)) < 0:
        raise ValueError(f"A limit is 0 or more, not {limit}.")
    return min(number, 2**31 - 1)
