import os
import secrets
from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError, connections
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from core_tables.demo import StandIn
from core_tables.demo.fill import counted, lacking, missing, remove, write
from core_tables.demo.scene import Scene
from core_tables.embeddings import embed
from core_tables.embeddings.embedder import model_name
from core_tables.exceptions import EmbedderFailed
from core_tables.management.arguments import positive
from core_tables.management.progress import Progress

BATCH = 64  # texts to embed at once
SITE = "http://127.0.0.1:8000"  # where runserver serves


class Command(BaseCommand):
    help = (
        "Fills the tables with a small world to try things with: three agents, the people they know, what they "
        "remember and what they have to do. Once there, it is left alone; --remove takes it away again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--remove", action="store_true", help="delete what this command made, and nothing else but what is in it")
        add(
            "--superuser",
            metavar="NAME",
            help="also make a superuser; its password: DJANGO_SUPERUSER_PASSWORD or random",
        )
        add("--seed", type=positive, metavar="N", help="another world for each number (1); --remove without it: all")
        add("--database", default="default", choices=tuple(connections), help="the alias of the database")

    def handle(self, *_: Any, **options: Any) -> None:
        using, self.verbosity = options["database"], options["verbosity"]
        if connections[using].vendor != "postgresql":
            raise CommandError(f"The database {using!r} is no PostgreSQL: name another one by --database.")
        if lacks := lacking(using):
            raise CommandError(
                f"The database {using!r} lacks the tables {', '.join(lacks)}: run `manage.py migrate`, which makes "
                "all tables, or `manage.py automigrate`, which makes those of agents alone."
            )
        if options["superuser"]:
            # First: if there can be none, nobody has waited for an embedder.
            self._make_superuser(options["superuser"], using)
        try:
            if options["remove"]:
                self._remove(options["seed"], using)
            else:
                self._fill(options["seed"] or 1, using)
        except ProgrammingError as error:
            raise CommandError(f"The tables are not as the models say: {error} Run `manage.py automigrate`.") from error
        except (EmbedderFailed, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        if not options["remove"]:
            self._tell_the_way(options["superuser"])

    def _fill(self, number: int, using: str) -> None:
        scenes = missing(number, using, timezone.now())
        if not scenes:
            self._say("The demo is there already; nothing was changed. `manage.py demo --remove` takes it away.")
            return
        given = bool(getattr(settings, "AGENTSQL", {}).get("EMBEDDER"))
        model = model_name() if given else StandIn.model
        progress = Progress(
            self.stderr, "Embedding", sum(len(scene.texts) for scene in scenes), verbosity=self.verbosity
        )
        new = []
        try:
            for scene in scenes:
                # Before the transaction begins: a model may take its time.
                vectors = self._embedded(scene.texts, progress, given=given)
                new += [scene] if write(scene, vectors, model, using) else []
        finally:
            progress.clear()
        self._tell_what(new, model if given else None)

    def _embedded(self, texts: Sequence[str], progress: Progress, *, given: bool) -> list[Any]:
        vectors: list[Any] = []
        for start in range(0, len(texts), BATCH):
            batch = texts[start : start + BATCH]
            vectors += embed(batch) if given else StandIn().embed(batch)
            progress.add(len(batch))
        return vectors

    def _tell_what(self, new: Sequence[Scene], model: str | None) -> None:
        names = ", ".join(scene.setting.agent.name for scene in new) or "nobody, as another run was faster"
        self._say(f"Made {names}: " + ", ".join(f"{count:,} {name}" for name, count in counted(new).items()) + ".")
        if model is not None:
            self._say(f"Their memories were embedded by {model}.")
            return
        self._say(
            'The vectors are stand-ins made of hashed words, for want of AGENTSQL["EMBEDDER"]: memories that share '
            "words are near each other, and no more than that. To search by them, set it to "
            f'"{StandIn.__module__.rpartition(".")[0]}.{StandIn.__name__}".'
        )

    def _remove(self, number: int | None, using: str) -> None:
        found = 0
        for name, rows in remove(number, using):
            found += 1
            self._say(f"{name} is gone, with {rows - 1:,} rows.")
        if not found:
            self._say("There is no demo here; nothing was changed.")

    def _make_superuser(self, name: str, using: str) -> None:
        if not apps.is_installed("django.contrib.auth"):
            raise CommandError("There can be no superuser: django.contrib.auth is not installed.")
        users = get_user_model()
        manager: Any = users._default_manager.db_manager(using)
        if users._meta.db_table not in connections[using].introspection.table_names():
            raise CommandError(f"The database {using!r} has no table for users: run `manage.py migrate`.")
        if manager.filter(**{users.USERNAME_FIELD: name}).exists():
            self._say(f"The user {name} is there already; nothing was changed.")
            return
        given = os.environ.get("DJANGO_SUPERUSER_PASSWORD")
        password = given or secrets.token_urlsafe(12)
        more = {field: os.environ.get(f"DJANGO_SUPERUSER_{field.upper()}", "") for field in users.REQUIRED_FIELDS}
        manager.create_superuser(**{users.USERNAME_FIELD: name, **more}, password=password)
        told = "the password of DJANGO_SUPERUSER_PASSWORD" if given else f"the password {password}, told only now"
        self.stdout.write(f"Made the superuser {name} with {told}.")

    def _tell_the_way(self, superuser: str | None) -> None:
        if not apps.is_installed("django.contrib.admin"):
            return
        try:
            address = reverse("admin:app_list", args=["core_tables"])
        except NoReverseMatch:
            self._say("The admin has no address here: add it to the URLs, as Django's documentation says.")
            return
        self._say(f"Next: `manage.py runserver`, then open {SITE}{address}")
        if not superuser:
            self._say("Without a user for that yet: `manage.py demo --superuser NAME`.")

    def _say(self, words: str) -> None:
        if self.verbosity:
            self.stdout.write(words)
