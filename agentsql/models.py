"""What the admin's page on the schema hangs on: a model without a table, whose one permission is to look."""

from __future__ import annotations

from typing import Any

from django.db import models


class NoRows(models.Manager[Any]):
    """Answers without a query, so that `dumpdata`, which asks every model, does not look for a table."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().none()


class Schema(models.Model):
    """The schema that the plugins want of one database, by its alias: menu entry, permission and log of the admin."""

    alias = models.TextField(primary_key=True)

    objects = NoRows()

    class Meta:
        managed = False
        base_manager_name = "objects"
        default_permissions = ("view",)
        verbose_name = "schema"
        verbose_name_plural = "schema"

    def __str__(self) -> str:
        return self.alias
