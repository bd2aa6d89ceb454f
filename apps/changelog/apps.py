from django.apps import AppConfig


class ChangelogConfig(AppConfig):
    name = "apps.changelog"
    label = "changelog"
    default_auto_field = "django.db.models.BigAutoField"
