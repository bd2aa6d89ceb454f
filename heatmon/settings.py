"""Django's settings: the sole reader of the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from django.utils.translation import gettext_lazy as _
from dotenv import dotenv_values

from . import data_dir
from .mode import bind_of, is_demo, is_loopback
from .options import OptionsError, load_options
from .postgres import connection_settings
from .restored import finish_restore

BASE_DIR = Path(__file__).resolve().parent.parent


def _refuse(faults: Sequence[str]) -> NoReturn:
    sys.stderr.write("heatmon cannot start:\n" + "".join(f"  {fault}\n" for fault in faults))
    sys.exit(2)


def _environment() -> dict[str, str]:
    if os.environ.get("HEATMON_TESTING"):
        return dict(os.environ)
    try:
        in_file = dotenv_values(BASE_DIR / ".env")
    except (OSError, UnicodeDecodeError) as error:
        _refuse([f"{BASE_DIR / '.env'} cannot be read as UTF-8 text: {error}"])
    return {**{key: value for key, value in in_file.items() if value is not None}, **os.environ}


_environ = _environment()
try:
    HEATMON = load_options(_environ)
except OptionsError as _error:
    _refuse(_error.faults)

# Set for the child process of ``simulate``: its databases live for one run.
SCRATCH = _environ.get("HEATMON_SCRATCH") == "1"
DEMO = is_demo(sys.argv, _environ, HEATMON)
HOME_DATA_DIR = HEATMON.data_dir if HEATMON.data_dir.is_absolute() else BASE_DIR / HEATMON.data_dir
DATA_DIR = HOME_DATA_DIR / "demo" if DEMO else HOME_DATA_DIR
try:
    for _directory in (HOME_DATA_DIR, DATA_DIR):
        data_dir.make(_directory)
    if not SCRATCH:
        finish_restore(DATA_DIR)
    SECRET_KEY = HEATMON.secret_key or data_dir.secret_key(HOME_DATA_DIR / "secret.key")
except data_dir.DataDirUnusable as _error:
    _refuse([f"HEATMON_DATA_DIR {_error}"])
BACKUP_DIR = DATA_DIR / "backups" if DEMO or HEATMON.backup_dir is None else BASE_DIR / HEATMON.backup_dir
STORE_ENGINE = "sqlite" if DEMO or SCRATCH else HEATMON.store  # those two never touch a home's data
STORE_PATH = DATA_DIR / "timeseries.sqlite3"
TOKEN_PATH = DATA_DIR / "viessmann-token.json"
os.umask(0o077)


DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *HEATMON.allowed_hosts]
CSRF_TRUSTED_ORIGINS = list(HEATMON.trusted_origins)
FORCE_SCRIPT_NAME = HEATMON.script_name or None

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
    "axes",
    "csp",
    "apps.devices",
    "apps.metrics",
    "apps.changelog",
    "apps.alerts",
    "apps.effects",
    "apps.accounts",
    "apps.dashboard",
    "apps.simulator",
    "heatmon",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "heatmon.static_files.StaticFiles",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "apps.accounts.language.HouseLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.AccessMiddleware",
    "apps.changelog.hiding.HiddenNotesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "heatmon.urls"
WSGI_APPLICATION = "heatmon.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.dashboard.context_processors.site",
            ],
        },
    }
]


def _database() -> dict[str, Any]:
    if HEATMON.database_url and not DEMO and not SCRATCH:  # those two never touch a home's data
        return connection_settings(HEATMON.database_url)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "CONN_MAX_AGE": None,  # opening it anew costs more than a page's queries
        "NAME": DATA_DIR / "heatmon.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": f"PRAGMA journal_mode=WAL;PRAGMA synchronous={'OFF' if SCRATCH else 'FULL'};",
        },
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "apps.accounts.passwords.NotTheNameRepeated"},
    {"NAME": "apps.accounts.passwords.FewSignsRepeated"},
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "dashboard:overview"
LOGOUT_REDIRECT_URL = "accounts:login"
AXES_HANDLER = "apps.accounts.guard.Guard"
AXES_USERNAME_CALLABLE = "apps.accounts.guard.account_name"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = "apps.accounts.guard.delay"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "apps.accounts.guard.locked_out"
AXES_CLIENT_IP_CALLABLE = "apps.accounts.guard.client_address"
AXES_ENABLE_ACCESS_FAILURE_LOG = True
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

# Over loopback and on a LAN that the owner declared, cookies travel without TLS; elsewhere never.
BIND = bind_of(sys.argv, HEATMON)
LOOPBACK_BIND = is_loopback(BIND)
PLAIN_HTTP = DEMO or HEATMON.lan_http or (LOOPBACK_BIND and not HEATMON.trusted_proxy)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not PLAIN_HTTP
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# On another port of the same host the demo must not sign anybody out.
HOME_SESSION_COOKIE_NAME = "heatmon_session"
SESSION_COOKIE_NAME = "heatmon_demo_session" if DEMO else HOME_SESSION_COOKIE_NAME
CSRF_COOKIE_NAME = "heatmon_demo_csrf" if DEMO else "csrftoken"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_ENGINE = "apps.accounts.sessions"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else 30 * 24 * 3600  # sent over TLS only
# The proxy redirects to TLS, and health checks come without it; other names of the domain are not ours.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
if PLAIN_HTTP:  # as the owner has decided; the System page says so
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W012", "security.W016"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "img-src": ["'self'", "data:"],
        "manifest-src": ["'self'"],
        "worker-src": ["'self'"],
    }
}

LANGUAGE_CODE = HEATMON.language or "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["heatmon.formats"]
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# An image collects static files at build time; at home they are served from where they lie (static_files.py).
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = not STATIC_ROOT.is_dir()
if WHITENOISE_USE_FINDERS and "collectstatic" not in sys.argv:
    STATIC_ROOT = DATA_DIR / "static"
    STATIC_ROOT.mkdir(exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "heatmon.log.OneLineFormatter"}},
    "handlers": {"stderr": {"class": "heatmon.log.PatientHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "heatmon": {"level": "INFO"},
        "ViCare": {"level": "ERROR"},
        "axes": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "waitress.queue": {"level": "ERROR"},
    },
}
