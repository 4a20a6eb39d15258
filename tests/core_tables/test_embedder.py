import asyncio
import re

import pytest
from django.core.exceptions import ImproperlyConfigured

from core_tables.embeddings import aembed, embed
from core_tables.embeddings.embedder import model_name
from core_tables.exceptions import EmbedderFailed


def hot(place):
    """Return a vector with a one at a place."""
    return [float(number == place) for number in range(384)]


def plain(texts):
    return [hot(len(text)) for text in texts]


async def awaited(texts):
    await asyncio.sleep(0)
    return plain(texts)


class Model:
    model = "mini"

    def embed(self, texts):
        return plain(texts)

    def embed_query(self, texts):
        return [hot(0) for _ in texts]


instance = Model()
nothing = object()


def raising(texts):
    raise ConnectionError("no route")


def too_few(texts):
    return [hot(1)]


def differing(texts):
    return [hot(1), [1.0] * 768]


def narrow(texts):
    return [[1.0]] * len(texts)


def zero(texts):
    return [[0.0] * 384] * len(texts)


def nobody(texts):
    return None


@pytest.fixture
def embedder(settings):
    def name(value):
        settings.AGENTSQL = {"EMBEDDER": f"{__name__}.{value}"}

    return name


@pytest.mark.parametrize("name", ["plain", "awaited", "Model", "instance"])
def test_an_embedder_is_a_function_or_has_a_method(embedder, name):
    embedder(name)
    found = [hot(1), hot(2)]
    assert [vector.to_list() for vector in embed(["a", "bb"])] == found
    assert [vector.to_list() for vector in asyncio.run(aembed(["a", "bb"]))] == found


def test_a_question_may_be_embedded_in_its_own_way(embedder):
    embedder("instance")
    assert embed(["a"], query=True)[0].to_list() == hot(0)
    assert asyncio.run(aembed(["a"], query=True))[0].to_list() == hot(0)
    embedder("plain")
    assert embed(["a"], query=True)[0].to_list() == hot(1)


def test_the_name_of_the_model_is_an_attribute(embedder):
    embedder("Model")
    assert model_name() == "mini"
    embedder("plain")
    assert model_name() is None


def test_no_texts_are_not_sent(embedder):
    embedder("raising")
    assert embed([]) == asyncio.run(aembed([])) == []


@pytest.mark.parametrize("ask", [embed, lambda texts: asyncio.run(aembed(texts))])
def test_texts_are_several(embedder, ask):
    embedder("plain")
    assert [vector.to_list() for vector in ask(text for text in ("a", "bb"))] == [hot(1), hot(2)]
    with pytest.raises(TypeError, match=r"embed\(\[text\]\)\[0\]"):
        ask("a text")
    with pytest.raises(TypeError, match="not NoneType"):
        ask(["a", None])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("raising", "asked to embed 2 texts, raised ConnectionError: no route"),
        ("too_few", "returned something else: 1 vectors."),
        ("differing", "different widths, 384, 768"),
        ("narrow", "No column takes a vector of 1 numbers"),
        ("zero", "no cosine"),
        ("nobody", "a NoneType, no list"),
    ],
)
def test_what_an_embedder_does_wrong(embedder, name, words):
    embedder(name)
    for ask in (embed, lambda texts: asyncio.run(aembed(texts))):
        with pytest.raises(EmbedderFailed, match=re.escape(words)) as failure:
            ask(["a", "b"])
        assert f"{__name__}.{name}" in str(failure.value)
        assert failure.value.__cause__ is not None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "is not set"),
        ({"EMBEDDER": ""}, "is not set"),
        ({"EMBEDDER": "no.such.module"}, "can't be imported"),
        ({"EMBEDDER": f"{__name__}.missing"}, "can't be imported"),
        ({"EMBEDDER": f"{__name__}.nothing"}, "neither callable"),
    ],
)
def test_a_setting_that_leads_nowhere(settings, value, words):
    settings.AGENTSQL = value
    with pytest.raises(ImproperlyConfigured, match=words) as refused:
        embed(["a"])
    assert 'AGENTSQL["EMBEDDER"]' in str(refused.value)
