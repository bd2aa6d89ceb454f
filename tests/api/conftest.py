"""The API's tests use the same home, store and clock as the pages'."""

from __future__ import annotations

from tests.dashboard.conftest import NOW, now, reader, site, store

__all__ = ["NOW", "now", "reader", "site", "store"]
