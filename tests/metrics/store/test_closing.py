"""A store may be closed while others read: they are told, nothing breaks."""

from __future__ import annotations

import threading
from pathlib import Path

from apps.metrics.store.base import Row, StoreUnavailable
from apps.metrics.store.sqlite import SqliteStore


def test_readers_of_other_threads_are_broken_off_when_the_store_closes(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "t.sqlite3", synchronous="OFF")
    store.write(
        [
            Row(site=1, measurement="meter", device="m", at=10 * number, values={"power_w": 1.0})
            for number in range(5000)
        ]
    )
    reading = threading.Barrier(5)
    told: list[bool] = []

    def read() -> None:
        reading.wait()
        try:
            while True:
                store.series(1, "power_w", 0, 50_000, 10)
        except StoreUnavailable:
            told.append(True)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    reading.wait()
    store.close()
    for thread in threads:
        thread.join(20)
    assert told == [True] * 4
