"""A process that uses an embedded server: connects, tells about it as JSON, and stays until its input ends.

It is run as a program, with the DATABASES entry as JSON and what else to do: ``fork``, or, for root, become
an ``ordinary`` user first.
"""

import json
import os
import pwd
import sys
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.db.utils import Error


def main(entry: dict[str, Any], deed: str = "") -> None:
    settings.configure(DATABASES={"default": {"ENGINE": "agentsql.backends.embedded", **entry}})
    django.setup()
    if deed == "ordinary" and os.geteuid() == 0:
        become_ordinary()
    try:
        tell(server=server_pid())
    except (Error, django.core.exceptions.ImproperlyConfigured) as error:
        tell(error=type(error).__name__, message=str(error))
        return
    connection.close()
    if deed == "fork" and os.fork():
        return
    for line in sys.stdin:
        tell(answer=ask(line))


def become_ordinary() -> None:
    """Give up root for good, with all that is needed imported: where Python lies, others may not read."""
    import agentsql.backends.embedded.reach

    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    os.environ["USER"] = os.environ["LOGNAME"] = nobody.pw_name
    assert connection.vendor == "postgresql"
    assert agentsql.backends.embedded.reach


def server_pid() -> int:
    with open(os.path.join(ask("SHOW data_directory"), "postmaster.pid")) as file:  # noqa: PTH118, PTH123
        return int(file.readline())


def ask(query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def tell(**fact: object) -> None:
    print(json.dumps({"pid": os.getpid(), **fact}, default=str), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), *sys.argv[2:])
