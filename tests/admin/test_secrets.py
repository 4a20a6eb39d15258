import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_tables.admin.secrets import MASK, NothingBehind, masked, rebased, unmasked

SETTINGS = {
    "model": "gpt-4o",
    "secrets": {"OPENAI": "sk-1", "nested": [{"x": "y"}]},
    "OPENAI_API_KEY": "sk-2",
    "discord": {"botToken": "abc", "channel": "lab", "applicationId": 7},
    "keys": ["shown"],
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
    "name", ["api_key", "Password", "db-password", "SMTP_PASS", "privateKey", "AUTH", "webhookUrl", "connectionString"]
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
    ],
)
def test_values_that_look_like_secrets(value):
    assert masked({"note": [value]}) == {"note": [MASK]}


@pytest.mark.parametrize("value", ["https://example.org/a:b", "task-list", "a risk", "hf", 7, None, True])
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
