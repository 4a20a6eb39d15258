from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from core_tables.management.arguments import age, agent, positive
from core_tables.management.progress import Progress
from core_tables.retention import BATCH, COUNTED, leftovers


class Command(BaseCommand):
    help = (
        "Deletes memories and cache entries that have expired and, if told so, logs past an age. "
        "Can be stopped at any time, and run several times at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--agent", help="only what is this agent's, by its id or name")
        parser.add_argument("--logs-older-than", type=age, metavar="AGE", help="such as 90d; else logs stay")
        parser.add_argument("--batch", type=positive, default=BATCH, help="how many rows a transaction deletes")
        parser.add_argument("--dry-run", action="store_true", help=f"only count, up to {COUNTED:,} of each kind")
        parser.add_argument(
            "--database", default="default", choices=tuple(connections), help="the alias of the database"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        using = options["database"]
        owner = agent(options["agent"], using=using)
        for kind in leftovers(agent=owner, logs_older_than=options["logs_older_than"], using=using):
            total = kind.count()
            if options["dry_run"]:
                more = " or more" if total == COUNTED else ""
                self.stdout.write(f"{total:,}{more} {kind.name} would be deleted.")
                continue
            progress = Progress(self.stderr, f"Deleting {kind.name}", total, verbosity=options["verbosity"])
            try:
                for count in kind.delete(options["batch"]):
                    progress.add(count)
            finally:
                progress.clear()
                if options["verbosity"]:
                    self.stdout.write(f"{progress.done:,} {kind.name} deleted.")
