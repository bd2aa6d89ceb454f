"""``/healthz`` and ``/readyz``: what an orchestrator asks. They answer without login, with one fixed word
a failing part; how old remote data is they tell only to those logged in, and never fail for it."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.backups import folder as backup_folder
from apps.devices import clock, storage
from apps.devices.heartbeat import late_loops
from apps.devices.options import SecretUnreadable, default_site
from apps.metrics import apps as metrics_apps
from apps.metrics.home import Home
from apps.metrics.status import current_status
from apps.metrics.store.base import StoreUnavailable

from .answers import json_answer

BROKER_TIMEOUT_S = 1.0
_migrations_done = False


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200 while this process serves and its own loops are on time."""
    failing = ["loops"] if late_loops(time.monotonic()) else []
    return _answer(request, failing, database=True)


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Return 200 when database, store and broker answer, migrations are done and what is written is kept."""
    database = _database_answers()
    checks = {
        "database": database,
        "migrations": database and _migrations_are_done(),
        "store": _store_answers(),
        "storage": not storage.fault(),
        "broker": _broker_answers(),
    }
    return _answer(request, [part for part, good in checks.items() if not good], database=database)


def _answer(request: HttpRequest, failing: list[str], *, database: bool) -> HttpResponse:
    answer: dict[str, Any] = {"ok": not failing, "failing": failing}
    if database and not failing and (settings.DEMO or request.user.is_authenticated):
        answer["sources"] = _sources()
        answer["waiting"] = _waiting()
        answer["backup"] = _backup()
    return json_answer(answer, status=503 if failing else 200)


def _sources() -> dict[str, Any] | None:
    try:
        status = current_status(Home.of(default_site(), clock.now()))
    except (StoreUnavailable, SecretUnreadable):
        return None
    return {
        name: {
            "state": part.state,
            "age_s": None
            if part.measured_at is None
            else int((status.at - part.measured_at).total_seconds()),
        }
        for name, part in (("meter", status.meter), ("heat_pump", status.heat_pump))
    }


def _backup() -> dict[str, Any] | None:
    """Return the age of the newest backup and why the last attempt failed; None where there is none."""
    newest, failure = backup_folder.newest(), backup_folder.failure()
    if newest is None and failure is None:
        return None
    return {
        "age_s": None if newest is None else int((clock.now() - newest.made_at).total_seconds()),
        "size_bytes": None if newest is None else newest.size_bytes,
        "failure": None if failure is None else failure.code,
    }


def _waiting() -> dict[str, Any] | None:
    """Return which writes wait for the database behind the store; None where none ever does."""
    try:
        waiting = metrics_apps.default_store().waiting()
    except StoreUnavailable:
        return None
    return (
        None
        if waiting is None
        else {
            "writes": waiting.writes,
            "size_bytes": waiting.size_bytes,
            "oldest_at": waiting.oldest_at,
            "code": waiting.code,
            "refused": waiting.refused,
        }
    )


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _migrations_are_done() -> bool:
    global _migrations_done
    if not _migrations_done:  # once done they stay done as long as this code runs
        try:
            executor = MigrationExecutor(connection)
            _migrations_done = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError:
            return False
    return _migrations_done


def _store_answers() -> bool:
    try:
        metrics_apps.default_store().ping()
    except (StoreUnavailable, ImproperlyConfigured, DatabaseError):
        return False
    return True


def _broker_answers() -> bool:
    if not settings.HEATMON.redis_url:
        return True
    import redis

    client = redis.Redis.from_url(
        settings.HEATMON.redis_url,
        socket_timeout=BROKER_TIMEOUT_S,
        socket_connect_timeout=BROKER_TIMEOUT_S,
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
