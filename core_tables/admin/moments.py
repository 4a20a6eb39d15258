"""Moments as the settings of a site have them: with a time zone, or without where USE_TZ is off."""

import datetime

from django.conf import settings
from django.utils import timezone

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def settled(moment: datetime.datetime) -> datetime.datetime:
    """Return a moment as the database's are read, which it can be compared with; a naive one is of the current zone.

    Raises:
        ValueError: it is at an end of what Python knows, and beyond that in another time zone.
    """
    try:
        if not settings.USE_TZ:
            return moment if timezone.is_naive(moment) else timezone.make_naive(moment)
        aware = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
        timezone.localtime(aware)  # in which pages show it
        return aware.astimezone(datetime.UTC)
    except OverflowError as error:
        raise ValueError(f"{moment} is no moment.") from error


def local(moment: datetime.datetime) -> datetime.datetime:
    """Return a moment that was read from the database in the current time zone."""
    return moment if timezone.is_naive(moment) else timezone.localtime(moment)


def today() -> datetime.date:
    """Return the date in the current time zone."""
    return local(timezone.now()).date()


def plain(moment: datetime.datetime) -> datetime.datetime:
    """Return a moment that is written down here as those of the database are: without its zone where USE_TZ is off."""
    return moment if settings.USE_TZ else moment.replace(tzinfo=None)


def moment_in(text: str) -> datetime.datetime | None:
    """Return a moment written in ISO 8601; None where it is none."""
    try:
        return settled(datetime.datetime.fromisoformat(text))
    except ValueError:
        return None
