"""The metrics app, and the store that this process uses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .store.base import TimeSeriesStore
from .store.sqlite import SqliteStore


class MetricsConfig(AppConfig):
    name = "apps.metrics"
    label = "metrics"
    default_auto_field = "django.db.models.BigAutoField"


_lock = threading.Lock()
_opened: TimeSeriesStore | None = None
_used_instead: list[TimeSeriesStore] = []


def default_store() -> TimeSeriesStore:
    """The store of the settings, opened at the first call of the process; or the one of ``use_store``.

    Raises StoreUnavailable if it cannot be opened, ImproperlyConfigured for an engine not there yet.
    """
    global _opened
    if _used_instead:
        return _used_instead[-1]
    with _lock:
        if _opened is None:
            if settings.HEATMON.store != "sqlite":
                raise ImproperlyConfigured(
                    f"HEATMON_STORE={settings.HEATMON.store} comes with a later version; use sqlite"
                )
            _opened = SqliteStore(settings.STORE_PATH)
        return _opened


@contextmanager
def use_store(store: TimeSeriesStore) -> Iterator[TimeSeriesStore]:
    """Let ``default_store`` answer with ``store`` in all threads, for simulations and tests."""
    _used_instead.append(store)
    try:
        yield store
    finally:
        _used_instead.remove(store)
