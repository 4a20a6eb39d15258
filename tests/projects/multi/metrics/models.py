from django.db import models


class Visit(models.Model):
    path = models.TextField()
    visitor = models.IntegerField(null=True)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.path
