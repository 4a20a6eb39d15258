import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_tables.admin.secrets import MASK, NothingBehind, masked, rebased, unmasked

SETTINGS = {
    "model": "gpt-4o",
    "secrets": {"OPENAI": "sk-1", "nested": [{"x": "y"}]},
    "OPENAI_API_KEY": "sk-2",
    "discord": {"botToken": "abc", "channel": "lab", "applicationId": 7},
    "keys": ["hidden"],
    "max_tokens": 4096,
    "keyboard": "qwerty",
    "POSTGRES_URL": "postgres://u:p@h/d",
    "empty_token": "",
    "useSecrets": True,
}


def test_what_a_name_gives_away_is_masked():
    shown = masked(SETTINGS)
    assert shown == SETTINGS | {
        "secrets": {"OPENAI": MASK, "nested": [{"x": MASK}]},
        "OPENAI_API_KEY": MASK,
        "discord": {"botToken": MASK, "channel": "lab", "applicationId": 7},
        "POSTGRES_URL": MASK,
        "keys": [MASK],
    }


def test_editing_what_is_shown_keeps_the_secrets():
    shown = masked(SETTINGS)
    assert unmasked(shown, SETTINGS) == SETTINGS
    shown["model"], shown["OPENAI_API_KEY"] = "other", "sk-new"
    assert unmasked(shown, SETTINGS) == SETTINGS | {"model": "other", "OPENAI_API_KEY": "sk-new"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("sk-abcdefgh"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab", max_size=2) | st.sampled_from(["api_key", "token"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON)
def test_nothing_is_lost_by_opening_and_saving(value):
    assert unmasked(masked(value), value) == value
    assert rebased(masked(value), masked(value), value) == value


@given(JSON, JSON)
def test_what_nobody_edited_is_as_others_have_made_it_meanwhile(before, now):
    assert rebased(masked(before), masked(before), now) == now


@pytest.mark.parametrize(
    "name",
    [
        *("api_key", "Password", "db-password", "SMTP_PASS", "privateKey", "AUTH", "webhookUrl", "connectionString"),
        *("keys", "openai_keys", "KEY_1", "PASS_1", "passcode", "pin", "otp", "hmac", "PK", "nsec", "slackUrl"),
        "authorization",
    ],
)
def test_names_of_secrets(name):
    assert masked({name: "x"}) == {name: MASK}


@pytest.mark.parametrize(
    "value",
    [
        "postgres://u:p@host/db",
        "sk-proj-abc",
        "ghp_0123456789",
        "Bearer abc",
        "AKIA0123456789ABCD",
        "-----BEGIN RSA PRIVATE KEY-----\nMII",
        "eyJhbGciOiJIUzI1NiJ9.e30",
        "postgres://u:pa/ss@h/db",
        "host=x user=y password=hunter2",
        "https://x/?api_key=abc123",
        "https://x/?a=1&token=abc",
        "https://hooks.slack.com/services/T0/B0/XXXX",
        "https://discord.com/api/webhooks/1/abc",
        "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5",
        "123456789:AAF-abcdefghijklmnopqrstuvwxyz01234",
        "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs",
        "gsk_0123456789abcdef",
        "whsec_0123456789abcdef",
        "ya29.a0AfH6SMBx",
        "Basic dXNlcjpwYXNz",
        "Authorization: Basic dXNlcjpwYXNz",
        "--password=foo",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ],
)
def test_values_that_look_like_secrets(value):
    assert masked({"note": [value]}) == {"note": [MASK]}


@pytest.mark.parametrize(
    "value",
    [
        "https://example.org/a:b",
        "task-list",
        "a risk",
        "hf",
        7,
        1.5,
        None,
        True,
        "gpt-4o-mini-2024-07-18",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "accounts/fireworks/models/llama-v3p1-405b-instruct",
        "text-embedding-3-large",
        "d0a6cdd0-8a6b-4a52-8b0c-7a24b1e1a8c8",
        "https://example.org/?page=2&sort=name",
        "Europe/Berlin",
        "--verbose",
        "Speak plainly: no jargon.",
        "max_tokens=100",
    ],
)
def test_values_that_do_not(value):
    assert masked({"note": value}) == {"note": value}


def test_what_is_nested_too_deeply_is_hidden_whole():
    deep = value = {}
    for _ in range(2000):
        value["a"] = value = {}
    assert masked(deep) == MASK


@pytest.mark.parametrize("edited", [{"other": MASK}, {"token": [MASK, MASK]}, {"a": {"token": MASK}}])
def test_a_mask_with_nothing_behind_it(edited):
    with pytest.raises(NothingBehind, match="write the value"):
        rebased(edited, {"token": [MASK]}, {"token": ["x"]})


def test_changes_of_two_people_meet():
    shown = masked({"token": "old", "model": "a", "topic": "b", "gone": 1, "n": 1})
    now = {"token": "new", "model": "a", "topic": "theirs", "more": 2, "n": 1}
    edited = {**shown, "model": "mine", "n": True}
    assert rebased(edited, shown, now) == {"token": "new", "model": "mine", "topic": "theirs", "more": 2, "n": True}
    del edited["token"], edited["topic"]
    assert rebased(edited, shown, now) == {"model": "mine", "more": 2, "n": True}


def test_a_list_with_masks_that_has_changed_meanwhile_is_refused():
    shown = masked({"tokens": ["a", "b"]})
    with pytest.raises(NothingBehind, match="changed meanwhile"):
        rebased({"tokens": [MASK, "c"]}, shown, {"tokens": ["b"]})


def test_what_a_pair_or_an_option_names_is_masked():
    env = [{"name": "OPENAI_API_KEY", "value": "abc"}, {"name": "PORT", "value": "80"}]
    shown = masked({"env": env, "args": ["--token", "abc", "--port", "80", "--password=foo"]})
    assert shown["env"] == [env[0] | {"value": MASK}, env[1]]
    assert shown["args"] == ["--token", MASK, "--port", "80", MASK]


@pytest.mark.parametrize(
    "name", ["author", "model", "maxTokens", "session_timeout", "keyboard", "spinner", "description"]
)
@pytest.mark.parametrize("value", [4096, "4096", True])
def test_names_of_no_secrets(name, value):
    assert masked({name: value}) == {name: value}


@pytest.mark.parametrize("name", ["adminPassword", "pin", "OTP", "generated_token"])
@pytest.mark.parametrize("value", [1234, "1234"])
def test_numbers_that_are_secrets(name, value):
    assert masked({name: value}) == {name: MASK}


@pytest.mark.parametrize("text", ["a" * 500_000, "a-" * 250_000, "://" * 150_000, "a=" * 250_000, "1:" * 250_000])
def test_long_texts_take_no_time(text):
    start = time.monotonic()
    masked({"x": text})
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    ("before", "edited"),
    [
        ({"tokens": ["AA", "BB"]}, {"tokens": [MASK]}),
        ({"tokens": ["AA", "BB"]}, {"tokens": [MASK, MASK, "CC"]}),
        ({"list": ["sk-abcdefgh12", "x"]}, {"list": ["x", MASK]}),
        ({"args": ["--token", "a", "--password", "b"]}, {"args": ["--password", MASK, "--token", MASK]}),
        (
            {"env": [{"name": "A_KEY", "value": "1"}, {"name": "B_KEY", "value": "2"}]},
            {"env": [{"name": "B_KEY", "value": MASK}, {"name": "A_KEY", "value": MASK}]},
        ),
    ],
)
def test_a_list_with_masks_keeps_its_length_and_its_order(before, edited):
    for take_off in (lambda: unmasked(edited, before), lambda: rebased(edited, masked(before), before)):
        with pytest.raises(NothingBehind, match="its length or its order"):
            take_off()


def test_an_item_of_a_list_is_written_over():
    before = {"tokens": ["AA", "BB"], "env": [{"name": "A_KEY", "value": "1", "on": True}]}
    edited = {"tokens": [MASK, "CC"], "env": [{"name": "A_KEY", "value": MASK, "on": False}]}
    expected = {"tokens": ["AA", "CC"], "env": [{"name": "A_KEY", "value": "1", "on": False}]}
    assert rebased(edited, masked(before), before) == expected


def test_a_harmless_name_lifts_no_secret():
    before = {"name": "OPENAI_API_KEY", "value": "abc"}
    with pytest.raises(NothingBehind, match="would be seen"):
        rebased({"name": "colour", "value": MASK}, masked(before), before)
