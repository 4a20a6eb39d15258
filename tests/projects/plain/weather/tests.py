from unittest import mock

from django.core.management import call_command
from django.test import TestCase, TransactionTestCase

from weather.models import Forecast, Place
from weather.places import PLACES


def places():
    return dict(Place.objects.values_list("code", "name"))


class ForecastTests(TestCase):
    def test_the_places_are_there(self):
        assert places() == PLACES

    def test_a_forecast(self):
        Forecast.objects.create(place=Place.objects.get(code="GRZ"), valid_on="2026-11-23", details={"rain": 0.1})
        assert Forecast.objects.get(details__rain__gt=0).place.name == "Graz"


class FlushTests(TransactionTestCase):
    def test_one(self):
        assert places() == PLACES

    def test_another(self):
        assert places() == PLACES

    def test_a_flush_seeds_and_looks_at_no_schema(self):
        Place.objects.all().delete()
        with mock.patch("agentsql.migrating.converge") as converge:
            call_command("flush", interactive=False, verbosity=0)
        assert places() == PLACES
        converge.assert_not_called()
