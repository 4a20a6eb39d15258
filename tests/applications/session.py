"""A process in which one application is installed: runs the commands it reads, one a line, as JSON.

Each answer is a line too: {"output": what the command printed, "error": its CommandError or null}.
"""

import json
import sys
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import django
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings


def run(arguments: list[str], *, database: str, from_models: bool) -> dict[str, Any]:
    """Run one command.

    Args:
        arguments: the command and its arguments.
        database: the name of the database.
        from_models: pretend that no app has migrations.
    """
    connection.settings_dict["NAME"] = database
    labels = [config.label for config in apps.get_app_configs()]
    output = StringIO()
    try:
        with (
            override_settings(MIGRATION_MODULES=dict.fromkeys(labels) if from_models else {}),
            redirect_stdout(output),
        ):
            call_command(*arguments)
    except CommandError as error:
        return {"output": output.getvalue(), "error": str(error)}
    finally:
        connection.close()
    return {"output": output.getvalue(), "error": None}


if __name__ == "__main__":
    django.setup()
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)  # noqa: T201
