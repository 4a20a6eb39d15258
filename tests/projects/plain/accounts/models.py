from django.contrib.auth.models import AbstractUser
from django.db import models


class Team(models.Model):
    name = models.CharField(max_length=80, unique=True)

    def __str__(self):
        return self.name


class User(AbstractUser):
    team = models.ForeignKey(Team, models.SET_NULL, null=True, blank=True, related_name="members")
    signature = models.TextField(blank=True)
