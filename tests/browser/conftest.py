"""The admin in a real browser: Debian's Chromium, led by Playwright, at a server with the demo in its database.

Everything is done as a person would: by what is written on a page, with clicks and keys.
"""

import os
import shutil

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.test.testcases import LiveServerThread

from tests.core_tables import store as stores

NAME, PASSWORD = "root", "kettle on at five"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
MOST = 2  # processes
SETTINGS = {"EMBEDDER": "core_tables.demo.StandIn", "ADMIN_APPLY": True}


def pytest_collection_modifyitems(items):
    """A browser that waits for many others is taken for one that hangs."""
    if int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > MOST:
        few = pytest.mark.skip(reason="drives a browser: run `pytest tests/browser -n 2 --dist loadfile` by itself")
        for item in items:
            if item.path.parent.name == "browser":
                item.add_marker(few)


def _fill():
    call_command("migrate", verbosity=0)
    call_command("demo", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    User.objects.create_superuser(NAME, password=PASSWORD)


@pytest.fixture(scope="session")
def _filled_database(django_db_setup, django_db_blocker):
    """A database of a whole site with the demo in it; each of the tests leaves to the others what they need."""
    with django_db_blocker.unblock(), stores.made(f"demo_{os.getpid()}", _fill) as name:
        yield name


@pytest.fixture(scope="module")
def _browser():
    """A browser for a module and no longer: while it runs, its event loop does, and other tests need their own."""
    from tests.browser.visitor import sync_api

    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("Chromium is missing: apt install chromium")
    with pytest.MonkeyPatch.context() as patch, sync_api.sync_playwright() as driver:
        # Django takes that loop for one which the tests' own queries would block.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = driver.chromium.launch(executable_path=program, args=["--disable-smooth-scrolling"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(_browser, _filled_database, django_db_blocker):
    """Where the site is served, in threads with connections of their own."""
    with (
        django_db_blocker.unblock(),
        stores.entered(_filled_database),
        override_settings(AGENTSQL=SETTINGS, ALLOWED_HOSTS=["127.0.0.1"]),
    ):
        # Another database, other ids.
        ContentType.objects.clear_cache()
        server = LiveServerThread("127.0.0.1", StaticFilesHandler)
        server.daemon = True
        server.start()
        server.is_ready.wait()
        if server.error:
            raise server.error
        yield f"http://127.0.0.1:{server.port}"
        server.terminate()
        ContentType.objects.clear_cache()


@pytest.fixture(scope="module")
def _logged_in(_browser, address):
    """What the browser remembers of having logged in."""
    from tests.browser.visitor import Visitor

    context = _browser.new_context(base_url=address)
    visitor = Visitor(context.new_page())
    visitor.go("/admin/")
    visitor.log_in(NAME, PASSWORD)
    yield context.storage_state()
    context.close()


@pytest.fixture
def visit(_browser, address, _logged_in):
    """Open windows of people who have logged in; what goes wrong in one unseen fails the test at its end."""
    from tests.browser.visitor import Visitor

    opened = []

    def visit(path="/admin/", *, stranger=False, **options):
        """Go somewhere in a window of its own; `options` are Playwright's, such as color_scheme and viewport."""
        known = {} if stranger else {"storage_state": _logged_in}
        context = _browser.new_context(base_url=address, **known, **options)
        visitor = Visitor(context.new_page())
        opened.append((context, visitor))
        visitor.go(path)
        return visitor

    yield visit
    troubles = [trouble for _, visitor in opened for trouble in visitor.troubles]
    for context, _ in opened:
        context.close()
    assert not troubles
