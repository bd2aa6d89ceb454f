"""The home of the pages' tests: a store for each test, and the clock set to one moment."""

from __future__ import annotations

from tests.dashboard.conftest import NOW, now, reader, site, store

__all__ = ["NOW", "now", "reader", "site", "store"]
