from django.conf import settings
from django.db import models
from wagtail.snippets.models import register_snippet


@register_snippet
class Note(models.Model):
    page = models.ForeignKey("wagtailcore.Page", models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    agent = models.ForeignKey("core_tables.Agent", models.SET_NULL, null=True, blank=True, related_name="+")
    text = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["page", "author"], name="notes_page_author_idx")]

    def __str__(self):
        return self.text
