"""Pages."""

from django.urls import URLPattern, path

from .pages.app import view as app
from .pages.change.view import change
from .pages.compare.view import compare_page
from .pages.documentation import view as documentation
from .pages.efficiency.view import efficiency
from .pages.energy.view import energy
from .pages.health.view import health
from .pages.history.view import history
from .pages.hot_water.view import hot_water
from .pages.normal.view import normal
from .pages.overview.view import favicon, overview
from .pages.report.view import report
from .pages.test import view as test_pages
from .settings import page as settings_page
from .settings import setup
from .settings.account import account

app_name = "dashboard"
urlpatterns: list[URLPattern] = [
    path("", overview, name="overview"),
    path("favicon.ico", favicon, name="favicon"),
    path("manifest.webmanifest", app.manifest, name="manifest"),
    path("service-worker.js", app.service_worker, name="service_worker"),
    path("offline", app.offline, name="offline"),
    path("history", history, name="history"),
    path("energy", energy, name="energy"),
    path("hot-water", hot_water, name="hot_water"),
    path("report", report, name="report"),
    path("efficiency", efficiency, name="efficiency"),
    path("documentation", documentation.contents, name="documentation"),
    path("documentation/<path:name>", documentation.document, name="document"),
    path("changes/<int:entry_id>", change, name="change"),
    path("changes/test", test_pages.plan, name="test_plan"),
    path("changes/test/<int:test_id>", test_pages.test, name="test"),
    path("compare", compare_page, name="compare"),
    path("normal", normal, name="normal"),
    path("health", health, name="health"),
    path("account", account, name="account"),
    path("settings", settings_page.settings_page, name="settings"),
    path("setup/continue", setup.resume, name="setup_resume"),
    path("setup/later/<slug:name>", setup.later, name="setup_later"),
    path("setup/<slug:name>", setup.step, name="setup_step"),
]
