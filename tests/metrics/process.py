"""One of several processes over the same data directory (HEATMON_DATA_DIR), started by a test.

``make`` makes the tables and eight days of raw rows; ``recalculate`` and ``live`` wait for a line on stdin
and begin: the command, or the jobs of a running program over two hours that are new.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import django

django.setup()

from django.core.management import call_command  # noqa: E402  (needs the set-up above)

from apps.devices.options import default_site  # noqa: E402
from apps.metrics.apps import default_store  # noqa: E402
from apps.metrics.marks import mark_late  # noqa: E402
from apps.metrics.store.base import Row  # noqa: E402
from heatmon import jobs  # noqa: E402
from heatmon.collection import Collection  # noqa: E402
from tests.metrics.data import at, counter, minute, snapshot  # noqa: E402

START = at("2025-01-05T00:00")
DAYS = 8
END = START + DAYS * 86_400
RESET = START + 4 * 86_400 + 4800
TURNS = 24


def power_w(time: int) -> float:
    """Runs of 40 minutes, 3 kW strong, with 18 W between."""
    return 3000.0 if time % 4800 < 2400 else 18.0


def counter_wh(time: int) -> float:
    """What was counted since the start, or since the counter began anew on the fifth day."""
    runs, into_s = divmod(time - (RESET if time >= RESET else START), 4800)
    return runs * 2012.0 + min(into_s, 2400) / 60 * 50 + max(0, into_s - 2400) / 60 * 0.3


def rows(start: int, end: int) -> Iterator[Row]:
    """Minutes, counters and answers; each day's hour from 07:10 is missing."""
    for time in range(start, end, 60):
        if not 7 * 3600 + 600 <= time % 86_400 < 8 * 3600 + 600:
            yield counter(time, round(counter_wh(time), 2))
            yield minute(time, round(power_w(time) / 60, 4))
        if time % 300 == 0:
            on = float(power_w(time + 150) > 400)
            yield snapshot(
                time, compressor_active=on, compressor_phase=2.0 * on, modulation_percent=70.0 * on
            )


def make() -> None:
    call_command("migrate", verbosity=0)
    default_site()
    default_store().write(rows(START, END))


def live() -> None:
    """Each turn five new minutes, refined once more after they were derived."""
    collection = Collection(default_site(), default_store(), clock=lambda: datetime.now(UTC))
    for end in range(END + 300, END + 300 * TURNS + 1, 300):
        new = list(rows(end - 300, end))
        collection.store.write(new)
        for turn_at in (end + 30, end + 60):
            jobs.derive(collection, datetime.fromtimestamp(turn_at, UTC))
            collection.store.write(row for row in new if row.measurement == "meter_minute")
            mark_late(collection.site.pk, end - 300, end)
    jobs.derive(collection, datetime.fromtimestamp(end, UTC) + timedelta(seconds=90))


def main(step: str) -> None:
    if step == "make":
        make()
        return
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    if step == "live":
        live()
    else:
        call_command(*step.split())


if __name__ == "__main__":
    main(sys.argv[1])
