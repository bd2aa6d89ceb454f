"""Pages."""

from django.urls import URLPattern, path

from . import views

app_name = "dashboard"
urlpatterns: list[URLPattern] = [
    path("", views.overview, name="overview"),
    path("history", views.history, name="history"),
]
