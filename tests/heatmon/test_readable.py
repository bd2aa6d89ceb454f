"""Jobs on a store that keeps what is written before it can be read."""

from __future__ import annotations

import pytest

from apps.metrics.store.front import Store
from apps.metrics.store.sqlite import SqliteEngine, SqliteStore

from .conftest import MakeHome


def test_deriving_waits_until_what_was_written_can_be_read(
    make_home: MakeHome, scratch_store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    class SlowEngine(SqliteEngine):
        """Takes longer than anyone waits to make written rows readable."""

        def wait_until_readable(self, timeout_s: float) -> bool:
            return False

    home = make_home()
    home.run(minutes=10)
    home.collection.store = Store(SlowEngine(scratch_store.engine.path))
    before = scratch_store.extent(home.site.pk, "interval")
    home.run(minutes=10)
    assert scratch_store.extent(home.site.pk, "interval") == before
    assert "the rows written last cannot be read yet" in caplog.text
    home.collection.store.close()
    home.collection.store = scratch_store
    home.run(minutes=10)
    after = scratch_store.extent(home.site.pk, "interval")
    assert before is not None and after is not None
    assert after[1] - before[1] == 1200
