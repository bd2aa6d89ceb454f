from django.apps import AppConfig
from django.db.backends.signals import connection_created


class DevicesConfig(AppConfig):
    name = "apps.devices"
    label = "devices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .storage import watch_database

        connection_created.connect(watch_database)
