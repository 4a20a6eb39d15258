from django.conf import settings
from django.db import models
from wagtail.models import Page


class HomePage(Page):
    if not settings.BEFORE:
        pinned = models.ForeignKey("notes.Note", models.SET_NULL, null=True, blank=True, related_name="+")
