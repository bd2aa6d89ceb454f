"""Changes and notes."""

from django.urls import URLPattern

app_name = "changelog"
urlpatterns: list[URLPattern] = []
