"""Sessions in the database, as Django's; while that takes no writes they live in this process's memory.

So nobody is signed out, or cannot sign in, because a disk is full. A session that began in memory is written
when it changes once there is room; one that does not change ends with the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore
from django.core.cache import BaseCache, caches
from django.db import DatabaseError

from apps.devices import storage

_never_written: set[str] = set()  # the keys of sessions that live in memory alone


class SessionStore(CachedStore):
    """See the module."""

    @property
    def _in_memory(self) -> BaseCache:
        return caches[settings.SESSION_CACHE_ALIAS]

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            return self.create()
        # Even on a full disk an UPDATE of no row succeeds: Django would take the session for deleted.
        is_new = must_create or self.session_key in _never_written
        with _kept_in_memory() as failed:
            super().save(must_create=is_new)
        if not failed:
            _never_written.discard(self.session_key)
            return
        if is_new:
            _never_written.add(self.session_key)
        self._in_memory.set(self.cache_key, dict(self.items()), self.get_expiry_age())

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            _never_written.discard(key)
        with _kept_in_memory() as failed:
            super().delete(session_key)
        if failed and key:
            # The row stays in the database for now: an empty session hides it, so that it is over.
            self._in_memory.set(self.cache_key_prefix + key, {}, self.get_session_cookie_age())


@contextmanager
def _kept_in_memory() -> Iterator[list[BaseException]]:
    """Take a failure because nothing can be written; yield the list that then has it."""
    failed: list[BaseException] = []
    try:
        yield failed
    except (DatabaseError, UpdateError) as error:
        cause = error.__context__ if isinstance(error, UpdateError) else error
        if cause is None or not storage.takes_no_writes(cause):
            raise
        failed.append(error)
