"""Pages."""

from django.urls import URLPattern, path

from . import documentation, health, views
from .settings import page as settings_page
from .settings import setup

app_name = "dashboard"
urlpatterns: list[URLPattern] = [
    path("", views.overview, name="overview"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("history", views.history, name="history"),
    path("energy", views.energy, name="energy"),
    path("efficiency", views.efficiency, name="efficiency"),
    path("documentation", documentation.documentation, name="documentation"),
    path("documentation/<slug:name>", documentation.documentation, name="documentation"),
    path("health", health.health, name="health"),
    path("settings", settings_page.settings_page, name="settings"),
    path("setup/continue", setup.resume, name="setup_resume"),
    path("setup/<slug:name>", setup.step, name="setup_step"),
]
