"""The schema as a picture, and as a file that `automigrate --diagram` writes."""

import os
import re
import xml.etree.ElementTree as ET
from shutil import which

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models

from agentsql import graphviz
from agentsql.diagram import Arrow, Box, Cell, Picture, of_models, picture
from agentsql.discover import discover
from agentsql.exceptions import AgentSQLError
from agentsql.names import TableName
from tests.arena import Registry
from tests.support import draft_of

drawing = pytest.mark.skipif(not which("dot"), reason="Graphviz is not installed")
HOSTILE = ["<script>alert(1)</script>", 'a"b>]]>--&amp;', "\\N\\G\\", "-->", "line\nfeed\x01", "\ud800", "é 漢"]


@pytest.fixture
def shop():
    """Orders of a customer, with tags, and a key to a table that is no plugin's."""
    registry = Registry()
    elsewhere = Registry().model("Account", meta={"db_table": "account"})
    customer = registry.model(
        "Customer", account=models.OneToOneField(elsewhere, models.CASCADE, primary_key=True), name=models.TextField()
    )
    tag = registry.model("Tag")
    order = registry.model(
        "Order",
        customer=models.ForeignKey(customer, models.CASCADE),
        before=models.ForeignKey("self", models.SET_NULL, null=True),
        tags=models.ManyToManyField(tag),
    )
    return draft_of(customer, tag, order, order.tags.through)


def drawn(*names):
    return Picture(boxes=tuple(Box(table=TableName("", name), app="plug", cells=CELLS) for name in names))


CELLS = (Cell("id", "bigint", False, "PK"),)


def texts(svg):
    root = ET.fromstring(svg)
    return [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_what_the_models_want(shop):
    boxes = {str(box.table): box for box in picture(shop).boxes}
    assert list(boxes) == ["plug_customer", "plug_tag", "plug_order", "plug_order_tags", "account"]
    assert boxes["account"] == Box(table=TableName("", "account"))
    assert boxes["plug_customer"].cells == (
        Cell("account_id", "bigint", False, "PK FK"),
        Cell("name", "text", False, ""),
    )
    assert boxes["plug_order"].cells[2] == Cell("before_id", "bigint", True, "FK")
    assert {str(arrow) for arrow in boxes["plug_order"].arrows} == {
        "customer_id → plug_customer(account_id)",
        "before_id → plug_order(id)",
    }
    assert [str(arrow.target) for arrow in boxes["plug_order_tags"].arrows] == ["plug_order", "plug_tag"]


def test_plugins_are_clusters_and_keys_are_arrows_between_columns(shop):
    source = graphviz.dot(picture(shop))
    assert source.count("subgraph") == 1
    assert "label=<<B>plug</B>>" in source
    assert "  t0:e0:e -> t4;" in source
    assert "  t2:e1:e -> t0:w0:w;" in source
    assert source == graphviz.dot(picture(shop))


def test_a_key_of_several_columns_is_between_tables():
    one, two = TableName("", "one"), TableName("", "two")
    arrow = Arrow(one, ("a", "b"), two, ("c", "d"))
    boxes = (Box(table=one, app="plug", cells=CELLS, arrows=(arrow,)), Box(table=two, app="plug", cells=CELLS))
    assert "  t0 -> t1;" in graphviz.dot(Picture(boxes=boxes))


@drawing
def test_the_drawing_is_one_inert_element():
    plugins = discover(connection, named=())
    svg = graphviz.svg(graphviz.dot(of_models(plugins, connection)))
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()}
    assert tags == {"svg", "title", "style", "g", "polygon", "path", "text"}
    assert svg.startswith("<svg ")
    assert not re.search(r"<!|href|#ffffff|fill=\"white\"", svg)
    assert {"core_tables", "example_plugin", "memories", "example_plugin_document_rooms"} <= set(texts(svg))


@drawing
@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_whatever_is_in_them(name):
    svg = graphviz.svg(graphviz.dot(drawn(name, "last")))
    plain = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
    assert [text.replace("\xa0", " ") for text in texts(svg)][1] == plain
    assert "<script" not in svg


@drawing
def test_a_picture_of_nothing():
    assert texts(graphviz.svg(graphviz.dot(Picture(boxes=())))) == []


def test_without_graphviz(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert not graphviz.available()
    with pytest.raises(AgentSQLError, match=r"no program `dot` on PATH.*apt install graphviz"):
        graphviz.svg(graphviz.dot(drawn("of no Graphviz")))


@pytest.mark.parametrize(
    ("program", "words"),
    [("echo Syntax >&2; exit 1", "Graphviz failed: Syntax"), ("exec sleep 5", "within 0.2 s: draw fewer plugins")],
)
def test_graphviz_that_fails(monkeypatch, tmp_path, program, words):
    fake = tmp_path / "dot"
    fake.write_text(f"#!/bin/sh\n{program}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(graphviz, "PATIENCE_SECONDS", 0.2 if "sleep" in program else 20)
    with pytest.raises(AgentSQLError, match=re.escape(words)):
        graphviz.svg(f"// {program}")


@pytest.fixture
def unreachable(monkeypatch):
    """The default database leads nowhere."""
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")


def test_the_command_writes_files_and_asks_no_database(unreachable, tmp_path, capsys):
    source = tmp_path / "schema.dot"
    call_command("automigrate", "example_plugin", diagram=str(source))
    assert capsys.readouterr().out == f"Wrote {source}: 9 tables, 8 foreign keys.\n"
    call_command("automigrate", "example_plugin", diagram="-")
    assert capsys.readouterr().out == source.read_text()
    assert source.read_text().startswith("digraph schema {")


@drawing
def test_the_command_draws(unreachable, tmp_path):
    call_command("automigrate", diagram=str(tmp_path / "schema.svg"), verbosity=0)
    assert "memories" in texts((tmp_path / "schema.svg").read_text())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"diagram": "schema.png"}, "--diagram - | dot -Tpdf"),
        ({"diagram": "/nowhere/schema.dot"}, "Can't write the diagram: "),
        ({"diagram": "-", "plan": True}, "--diagram only draws"),
        ({"diagram": "-", "all_databases": True}, "--diagram only draws"),
        ({"diagram": "-", "database": "other"}, "no database alias 'other'"),
    ],
)
def test_what_the_command_refuses(options, words):
    with pytest.raises(CommandError, match=re.escape(words)):
        call_command("automigrate", **options)


def test_the_command_without_graphviz(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    graphviz.svg.cache_clear()
    with pytest.raises(CommandError, match="apt install graphviz"):
        call_command("automigrate", diagram=str(tmp_path / "schema.svg"))
    assert not (tmp_path / "schema.svg").exists()
