"""What a server that faces others must be told, and what is safe to assume on one's own machine."""

from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

# As in Django's check security.W009.
SHORTEST = 50
FEWEST_DIFFERENT = 5
INSECURE = "django-insecure-"


def secret_key(value: str, *, debug: bool) -> str:
    if debug:
        return value or get_random_secret_key()
    if len(value) < SHORTEST or len(set(value)) < FEWEST_DIFFERENT or value.startswith(INSECURE):
        raise ImproperlyConfigured(
            f"SECRET_KEY is {'weak' if value else 'missing'}: with DEBUG off, "
            f"set it to at least {SHORTEST} random characters."
        )
    return value


def allowed_hosts(hosts: Sequence[str], *, debug: bool) -> list[str]:
    """Return the host names to serve; without any, and with DEBUG on, Django serves this machine only."""
    names = [host.strip() for host in hosts if host.strip()]
    if not names and not debug:
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS is empty: with DEBUG off, set it to the host names to serve, separated by commas."
        )
    return names
