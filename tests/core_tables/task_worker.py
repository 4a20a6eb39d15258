"""`run_agent_tasks` as a process of its own, with handlers of the tests'.

Options are those of the command.
"""

import os
import random
import sys
import time


def register():
    """Register what the tests' tasks do."""
    from core_tables.models import Log
    from core_tables.worker import agent_task

    def leave_a_trace(task):
        known = task.metadata
        Log.objects.create(
            type="effect",
            agent_id=task.agent_id,
            room_id=known["room"],
            entity_id=known["entity"],
            body={"task": str(task.pk), "attempt": task.attempts},
        )
        time.sleep(random.uniform(0, known.get("seconds", 0)))

    agent_task("nap")(lambda task: time.sleep(task.metadata["seconds"]))
    agent_task("trace")(leave_a_trace)
    agent_task("trace-atomic", atomic=True)(leave_a_trace)


if __name__ == "__main__":
    import django
    from django.core.management import execute_from_command_line

    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    django.setup()
    register()
    execute_from_command_line(["manage.py", "run_agent_tasks", *sys.argv[1:]])
