"""The places that are there from the start."""

PLACES = {"GRZ": "Graz", "LNZ": "Linz", "VIE": "Vienna"}


def seed(using, **_):
    from weather.models import Place

    places = [Place(code=code, name=name) for code, name in PLACES.items()]
    Place.objects.using(using).bulk_create(places, ignore_conflicts=True)
