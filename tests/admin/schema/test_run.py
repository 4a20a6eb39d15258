"""A run from the admin: who may, what is confirmed, what is shown meanwhile and noted afterwards."""

import asyncio
import re
import threading

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from agentsql import lock
from agentsql.admin import pages, progress
from tests.admin.schema.looks import ALLOWED, PAGE, RUN, another_session, plan_of, run, sql, state, text

pytestmark = pytest.mark.extension("vector")
wrecks = pytest.mark.usefixtures("own_site")


@wrecks
def test_a_role_without_rights(client, settings, other_database):
    settings.AGENTSQL = ALLOWED
    sql("DROP ROLE IF EXISTS schema_page_nobody", "CREATE ROLE schema_page_nobody", "DROP TABLE example_plugin_reader")
    other_database(OPTIONS={"options": "-c role=schema_page_nobody"})
    try:
        assert state(client.get(f"{PAGE}other/change/"), "memories").startswith("complete")
        said = run(client, f"{PAGE}other/run/")
    finally:
        connections["other"].close()
        sql("DROP ROLE schema_page_nobody")
    assert '<li class="error">The role &#x27;schema_page_nobody&#x27; may not create tables in schema' in said


@wrecks
def test_who_may_not_run(viewer, client, settings):
    sql("DROP INDEX agents_name_idx")
    assert [who.get(RUN).status_code for who in (viewer, client)] == [403, 403]
    settings.AGENTSQL = ALLOWED
    assert [who.get(RUN).status_code for who in (viewer, client)] == [403, 200]
    assert viewer.post(RUN, {"plan": plan_of(client.get(RUN))}).status_code == 403
    assert "Run automigrate" not in text(viewer.get(PAGE))
    assert f'href="{RUN}"' in client.get(PAGE).content.decode()


@wrecks
def test_a_run_needs_the_token(client, settings):
    settings.AGENTSQL = ALLOWED
    sql("DROP INDEX agents_name_idx")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get())
    plan = plan_of(strict.get(RUN))
    assert strict.post(RUN, {"plan": plan}).status_code == 403
    token = strict.cookies["csrftoken"].value
    done = strict.post(RUN, {"plan": plan, "csrfmiddlewaretoken": token})
    assert b"The schema is complete" in b"".join(done.streaming_content)


@wrecks
def test_a_run(client, settings):
    settings.AGENTSQL = ALLOWED
    sql("DROP INDEX agents_name_idx", "ALTER TABLE agents ALTER COLUMN name TYPE varchar(90)")
    asked = client.get(RUN)
    assert "CREATE INDEX &quot;agents_name_idx&quot;" in text(asked)
    response = client.post(RUN, {"plan": plan_of(asked)})
    assert (response["X-Accel-Buffering"], response["Content-Encoding"]) == ("no", "identity")
    pieces = [piece.decode() for piece in response.streaming_content]
    assert "automigrate runs" in pieces[0]
    said = "".join(pieces)
    assert re.search(r"core_tables\n  agents\n    \+ index agents_name_idx +OK \d", said)
    assert "agentsql.D101" in said
    assert re.search(r'id="verdict" role="status"><li class="success">The schema is complete\. 1 index in ', said)
    assert said.rstrip().endswith("</html>")
    assert state(client.get(PAGE), "agents").startswith("drifted")
    noted = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert noted[0] == "Started automigrate."
    assert noted[1].startswith("automigrate: The schema is complete. 1 index")
    assert "Started automigrate." in text(client.get(f"{PAGE}default/history/"))
    assert f'href="{PAGE}default/change/"' in client.get("/admin/").content.decode()


@wrecks
def test_only_the_plan_that_was_shown(client, settings):
    settings.AGENTSQL = ALLOWED
    sql("DROP INDEX agents_name_idx")
    plan = plan_of(client.get(RUN))
    sql("DROP INDEX memories_room_created_idx")
    for posted in ({"plan": plan}, {"plan": "x"}, {}):
        response = client.post(RUN, posted)
        assert not response.streaming
    assert "This is not the plan that was confirmed" in text(client.post(RUN, {"plan": plan}))
    sql("SELECT 1 / (NOT EXISTS (SELECT FROM pg_class WHERE relname = 'agents_name_idx'))::int")
    assert not LogEntry.objects.exists()


def test_nothing_to_run(client, settings):
    settings.AGENTSQL = ALLOWED
    assert "There is nothing to run." in text(client.get(RUN))
    assert "Run automigrate" not in text(client.get(PAGE))


@wrecks
def test_it_waits_for_another_run(client, settings):
    settings.AGENTSQL = ALLOWED | {"RUN_WAIT": 1.5}
    sql("DROP INDEX agents_name_idx")
    with another_session(f"SELECT pg_advisory_xact_lock({lock.KEY})"):
        assert "It will be waited for." in text(client.get(RUN))
        said = run(client)
    told = "Another automigrate run holds the lock: backend"
    assert told in said.partition("</pre>")[0]
    assert re.search(rf'<li class="error">{told}.* Waited 1\.5 s; run automigrate again later\.</li>', said)
    assert "Waited" in LogEntry.objects.first().change_message


@wrecks
def test_a_step_that_fails(client, settings):
    settings.AGENTSQL = ALLOWED | {"LOCK_TIMEOUT": 0.1, "LOCK_WAIT": 0.3}
    sql("DROP INDEX agents_name_idx")
    with another_session("LOCK TABLE agents IN ROW EXCLUSIVE MODE"):
        said = run(client)
    assert "FAILED" in said
    assert '<li class="error">Some steps failed; what does not depend on them was made.' in said


@wrecks
def test_a_run_that_breaks_off(client, settings, monkeypatch, caplog):
    settings.AGENTSQL = ALLOWED
    sql("DROP INDEX agents_name_idx")
    asked = {}

    def broken(**options):
        asked.update(options)
        raise TypeError("what nobody foresaw: <secret>")

    monkeypatch.setattr(progress, "run", broken)
    said = run(client)
    assert '<li class="error">The run broke off; the server&#x27;s log tells why.</li>' in said
    assert "secret" not in said
    assert "what nobody foresaw" in caplog.text
    assert set(asked) == {"using", "tell"}


@wrecks
def test_who_leaves_does_not_end_the_run(client, settings):
    settings.AGENTSQL = ALLOWED
    sql("DROP INDEX agents_name_idx")
    response = client.post(RUN, {"plan": plan_of(client.get(RUN))})
    next(iter(response.streaming_content))
    response.close()
    for thread in threading.enumerate():
        if thread.name == "automigrate default":
            thread.join(20)
    assert state(client.get(PAGE), "agents").startswith("complete")


def test_a_sign_of_life(monkeypatch):
    monkeypatch.setattr(progress, "HEARTBEAT_SECONDS", 0.01)
    gate = threading.Event()
    monkeypatch.setattr(progress, "run", lambda **_: gate.wait(10) and None)
    said = progress.start("default", lambda _: None)
    assert next(said) == ""
    gate.set()
    assert [one for one in said if one][-1].good is False


def test_an_asynchronous_server_gets_pieces_as_they_come():
    gate = threading.Event()

    def pieces():
        yield "one"
        assert gate.wait(10)
        yield "two"

    async def read():
        found = []
        async for piece in pages._asynchronous(pieces()):
            found.append(piece)
            gate.set()
        return found

    assert asyncio.run(read()) == ["one", "two"]
