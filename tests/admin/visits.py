"""Pages of memories, visited."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

LIST = reverse("admin:core_tables_memory_changelist")
HOSTILE = "<script>alert(1)</script>\"'&"


def page(memory, view="change"):
    return reverse(f"admin:core_tables_memory_{view}", args=[memory.pk])


def text_of(response):
    return response.content.decode()


def queries(client, address):
    client.get(address)  # what is asked once a process: content types
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return asked.captured_queries
