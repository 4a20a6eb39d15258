from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from core_tables.embeddings.reembedding import BATCH, clear_old, pending, reembed
from core_tables.exceptions import EmbedderFailed
from core_tables.management.arguments import agent, positive
from core_tables.management.progress import Progress
from core_tables.models import Memory


class Command(BaseCommand):
    help = (
        "Embeds the memories that have no vector, or one of another model or width than the embedder's. "
        "Can be stopped and started at any time, and run several times at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--agent", help="only memories of this agent, by its id or name")
        parser.add_argument("--type", help="only memories of this type")
        parser.add_argument("--batch", type=positive, default=BATCH, help="how many texts to embed at once")
        parser.add_argument("--model", help="the name of the model, to be kept with the vectors")
        parser.add_argument("--limit", type=positive, help="embed no more than so many memories")
        parser.add_argument("--clear-old", action="store_true", help="take away vectors of other widths, also old ones")
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument(
            "--database", default="default", choices=tuple(connections), help="the alias of the database"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        using = options["database"]
        memories = Memory.objects.using(using)
        if owner := agent(options["agent"], using=using):
            memories = memories.filter(agent=owner)
        if options["type"]:
            memories = memories.of_type(options["type"])
        try:
            self._embed(memories, options)
        except (EmbedderFailed, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error

    def _embed(self, memories: Any, options: dict[str, Any]) -> None:
        total = pending(memories, model=options["model"]).count()
        if options["limit"]:
            total = min(total, options["limit"])
        if options["dry_run"]:
            self.stdout.write(f"{total:,} memories would be embedded.{_wordless(memories)}")
            return
        progress = Progress(self.stderr, "Embedding", total, verbosity=options["verbosity"])
        cleared = 0
        try:
            values = {name: options[name] for name in ("model", "batch", "limit", "clear_old")}
            for count in reembed(memories, **values):
                progress.add(count)
            if options["clear_old"]:
                cleared = sum(clear_old(memories, model=options["model"]))
        finally:
            progress.clear()
            if options["verbosity"]:
                old = f" {cleared:,} done before lost older vectors." if cleared else ""
                self.stdout.write(f"{progress.done:,} memories embedded.{old}{_wordless(memories)}")


def _wordless(memories: Any) -> str:
    """Tell how many memories have no vector because they have no words."""
    bare = memories.live().without_embedding()
    count = bare.count() - bare.with_text().count()
    return f" {count:,} without words were passed over." if count else ""
