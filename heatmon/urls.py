"""All addresses of heatmon."""

from django.contrib import admin
from django.urls import include, path

from apps.dashboard.api import api

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    path("", include("apps.accounts.urls")),
    path("", include("apps.changelog.urls")),
    path("", include("apps.dashboard.urls")),
]
