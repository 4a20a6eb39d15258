"""The page's addresses, what it says without its tags, and what else happens in its database."""

import re
from contextlib import closing, contextmanager

from django.db import connection

PAGE = "/admin/agentsql/schema/"
RUN = f"{PAGE}default/run/"
DIAGRAM = f"{PAGE}default/diagram.svg"
ALLOWED = {"ADMIN_APPLY": True}


def sql(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def text(response):
    """Return what a page says, tags left out."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def state(response, table):
    """Return the state of a table, with what it lacks and the findings on it."""
    row = re.search(rf'<th scope="row">{table}<br>.*?</tr>', response.content.decode(), re.DOTALL)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row.partition("</th>")[2])).strip()


def plan_of(response):
    return re.search(r'name="plan" value="(\w+)"', response.content.decode())[1]


def run(client, address=RUN):
    """Press the button, confirm, and return all that comes."""
    return b"".join(client.post(address, {"plan": plan_of(client.get(address))}).streaming_content).decode()


@contextmanager
def another_session(*statements):
    """Another session in a transaction that has run these statements."""
    with closing(connection.copy()) as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        yield
        other.rollback()
