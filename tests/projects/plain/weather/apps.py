from django.apps import AppConfig


class WeatherConfig(AppConfig):
    name = "weather"
    automigrate = True

    def ready(self):
        from agentsql.signals import schema_applied
        from weather.places import seed

        schema_applied.connect(seed, sender=self)
