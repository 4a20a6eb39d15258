import os

from django.conf import settings
from django.db import models


class Note(models.Model):
    """Kept with the agents, far from the users: that key is no constraint."""

    agent = models.ForeignKey("core_tables.Agent", models.CASCADE, related_name="notes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.DO_NOTHING, db_constraint=False, related_name="+")
    rooms = models.ManyToManyField("core_tables.Room", related_name="+")
    text = models.TextField()

    def __str__(self):
        return self.text


class Opinion(models.Model):
    """Kept with the users."""

    kept_on = "default"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    likes = models.TextField(db_index=True)

    def __str__(self):
        return self.likes


if os.environ.get("PROJECT_STRICT"):

    class Claim(models.Model):
        note = models.ForeignKey(Note, models.CASCADE)
        order = models.ForeignKey("shop.Order", models.CASCADE)

        def __str__(self):
            return f"{self.note}, of {self.order}"
