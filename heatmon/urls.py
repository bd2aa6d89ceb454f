"""All addresses of heatmon."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from apps.api import api, probes, prometheus

handler400 = "apps.accounts.views.bad_request"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", RedirectView.as_view(pattern_name="api:openapi-view")),
    path("api/", api.urls),
    path("healthz", probes.healthz, name="healthz"),
    path("readyz", probes.readyz, name="readyz"),
    path("metrics", prometheus.metrics, name="metrics"),
    path("", include("apps.accounts.urls")),
    # before the changelog, whose page of an entry knows nothing of effects
    path("", include("apps.dashboard.urls")),
    path("", include("apps.changelog.urls")),
]

handler500 = "heatmon.last_resort.handler500"
