from django.db import models


class Place(models.Model):
    code = models.CharField(max_length=3, unique=True)
    name = models.TextField()

    def __str__(self):
        return self.name


class Forecast(models.Model):
    place = models.ForeignKey(Place, models.CASCADE, related_name="forecasts")
    valid_on = models.DateField()
    details = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "valid_on"], name="forecast_once")]

    def __str__(self):
        return f"{self.place_id} on {self.valid_on}"
