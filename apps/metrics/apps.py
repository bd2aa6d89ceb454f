"""The metrics app, and the store that this process uses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .store.front import Store
from .store.opening import open_engine


class MetricsConfig(AppConfig):
    name = "apps.metrics"
    label = "metrics"
    default_auto_field = "django.db.models.BigAutoField"


_lock = threading.Lock()
_opened: Store | None = None
_used_instead: list[Store] = []


def default_store() -> Store:
    """The store of the settings, opened at the first call of the process; or the one of ``use_store``.

    Raises StoreUnavailable if it cannot be opened, ImproperlyConfigured for an engine not there yet.
    """
    global _opened
    if _used_instead:
        return _used_instead[-1]
    with _lock:
        if _opened is None:
            _opened = _open()
        return _opened


def _open() -> Store:
    from .extents import DatabaseExtents

    try:
        engine = open_engine(settings.HEATMON.store, settings.STORE_PATH, lasting=not settings.DEMO)
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from error
    return Store(engine, DatabaseExtents(engine))


@contextmanager
def use_store(store: Store) -> Iterator[Store]:
    """Let ``default_store`` answer with ``store`` in all threads, for simulations and tests."""
    _used_instead.append(store)
    try:
        yield store
    finally:
        _used_instead.remove(store)
