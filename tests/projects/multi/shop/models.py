from django.conf import settings
from django.db import models


class Customer(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    city = models.TextField(blank=True)

    def __str__(self):
        return str(self.user)


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    # A table that automigrate makes, on the database of this one.
    opinion = models.ForeignKey("recall.Opinion", models.SET_NULL, null=True, blank=True)
    placed_on = models.DateField()

    def __str__(self):
        return f"{self.customer}, {self.placed_on}"
