from django.conf import settings
from django.db import models


class Note(models.Model):
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notes")
    ticket = models.ForeignKey("desk.Ticket", models.CASCADE, related_name="notes")
    agent = models.ForeignKey("core_tables.Agent", models.SET_NULL, null=True, blank=True, related_name="notes")
    readers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    text = models.TextField()
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["ticket", "written_at"], name="note_ticket_written")]
        constraints = [models.CheckConstraint(condition=~models.Q(text=""), name="note_says_something")]

    def __str__(self):
        return self.text[:60]
