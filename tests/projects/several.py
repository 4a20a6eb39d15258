"""Several `manage.py` commands in one process: a start costs more than most of them."""

import json

from tests.projects.conftest import Project

SCRIPT = """
import json, os, sys
from django.core.management import execute_from_command_line
os.environ["DJANGO_SETTINGS_MODULE"], commands = sys.argv[1:]
for arguments in json.loads(commands):
    execute_from_command_line(["manage.py", *arguments])
    print(END, flush=True)
"""
END = "-- the end of a command --"


def several(project: Project, settings: str, *commands: str | list[str], **environment: str) -> list[str]:
    """Run commands, each of which has to succeed, and return what each printed.

    Args:
        project: where.
        settings: the module.
        commands: a line each, or its words where these have spaces.
        environment: what to set besides.
    """
    words = [command.split() if isinstance(command, str) else command for command in commands]
    script = SCRIPT.replace("END", repr(END))
    done = project.run("-c", script, settings, json.dumps(words), **environment)
    return done.stdout.split(f"{END}\n")[:-1]
