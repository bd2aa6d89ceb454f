"""Changes and notes."""

from django.urls import path

from . import views

app_name = "changelog"
urlpatterns = [
    path("changes", views.timeline_page, name="timeline"),
    path("changes/add", views.note_add, name="note_add"),
    path("changes/configuration", views.configuration_page, name="configuration"),
    path("changes/<int:entry_id>", views.entry_page, name="entry"),
    path("changes/<int:entry_id>/edit", views.note_edit, name="note_edit"),
    path("changes/<int:entry_id>/delete", views.note_delete, name="note_delete"),
]
