"""The metrics app, and the store that this process uses."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.devices import storage

from .store.base import StoreRefused
from .store.front import Store

log = logging.getLogger(__name__)


class MetricsConfig(AppConfig):
    name = "apps.metrics"
    label = "metrics"
    default_auto_field = "django.db.models.BigAutoField"


_lock = threading.Lock()
_opened: Store | None = None
_used_instead: list[Store] = []


def default_store() -> Store:
    """Return the store of the settings, opened at the first call of the process; or the one of ``use_store``.

    A store that is not as this home left it is refused until the next start: it raises StoreRefused at every
    use. Raises StoreUnavailable if it cannot be opened, ImproperlyConfigured for an engine not there yet.
    """
    global _opened
    if _used_instead:
        return _used_instead[-1]
    with _lock:
        if _opened is None:
            _opened = _open()
        return _opened


def _open() -> Store:
    from .admission import admitted_or_set_aside
    from .extents import DatabaseExtents

    try:
        engine = admitted_or_set_aside(settings.STORE_ENGINE, settings.STORE_PATH, lasting=not settings.DEMO)
    except StoreRefused as refusal:
        log.error("%s; nothing is collected until this is decided: see the pages", refusal)
        return Store.refused(refusal)
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from error
    if settings.STORE_ENGINE == "sqlite":
        storage.watch(settings.STORE_PATH)
    return Store(engine, DatabaseExtents(engine))


def refusal() -> StoreRefused | None:
    """Return why the store that this process has opened is refused; None if it is not, or was not opened
    yet."""
    store = _used_instead[-1] if _used_instead else _opened
    return None if store is None else store.refusal


@contextmanager
def use_store(store: Store) -> Iterator[Store]:
    """Let ``default_store`` answer with ``store`` in all threads, for simulations and tests."""
    _used_instead.append(store)
    try:
        yield store
    finally:
        _used_instead.remove(store)
