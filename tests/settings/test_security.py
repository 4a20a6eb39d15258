"""What is refused once DEBUG is off, as a table."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from settings.security import allowed_hosts, secret_key

STRONG = "$" + "k3y-".join("abcdefghijklmno")


def test_local_work_needs_nothing():
    assert len(secret_key("", debug=True)) == 50
    assert secret_key("", debug=True) != secret_key("", debug=True)
    assert allowed_hosts([], debug=True) == []


@pytest.mark.parametrize("debug", [True, False])
def test_what_is_given_is_used(debug):
    assert secret_key(STRONG, debug=debug) == STRONG
    assert allowed_hosts([" a.example", "", "b.example "], debug=debug) == ["a.example", "b.example"]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("", "missing"),
        ("short", "weak"),
        ("k" * 60, "weak"),
        ("django-insecure-" + STRONG, "weak"),
    ],
)
def test_keys_refused_without_debug(value, word):
    with pytest.raises(ImproperlyConfigured, match=f"SECRET_KEY is {word}: with DEBUG off"):
        secret_key(value, debug=False)


@pytest.mark.parametrize("hosts", [[], ["", " "]])
def test_hosts_refused_without_debug(hosts):
    with pytest.raises(ImproperlyConfigured, match="ALLOWED_HOSTS is empty: with DEBUG off"):
        allowed_hosts(hosts, debug=False)
