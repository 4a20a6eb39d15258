from django.apps import apps
from django.conf import settings
from django.db import models


class Queue(models.Model):
    name = models.CharField(max_length=80, unique=True)
    team = models.ForeignKey("accounts.Team", models.PROTECT, related_name="queues")

    def __str__(self):
        return self.name


class Ticket(models.Model):
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="tickets")
    title = models.CharField(max_length=200)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tickets")
    opened_at = models.DateTimeField(auto_now_add=True)
    is_open = models.BooleanField(default=True)

    if apps.is_installed("core_tables"):
        agent = models.ForeignKey("core_tables.Agent", models.SET_NULL, null=True, blank=True, related_name="tickets")
        pinned = models.ForeignKey("notes.Note", models.SET_NULL, null=True, blank=True, related_name="+")
        see_also = models.ManyToManyField("notes.Note", blank=True, related_name="seen_from")

    class Meta:
        indexes = [models.Index(fields=["queue", "opened_at"], name="ticket_queue_opened")]

    def __str__(self):
        return self.title
