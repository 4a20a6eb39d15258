"""Whose rows somebody may see: asked for whatever a page shows besides its own subject."""

from typing import Any

from django.contrib.auth import get_permission_codename
from django.db import models
from django.http import HttpRequest


def may_view(request: HttpRequest, model: type[models.Model]) -> bool:
    """Return whether somebody may see the rows of a model; who may change them may."""
    user: Any = request.user
    names = (get_permission_codename(action, model._meta) for action in ("view", "change"))
    return any(user.has_perm(f"{model._meta.app_label}.{name}") for name in names)
