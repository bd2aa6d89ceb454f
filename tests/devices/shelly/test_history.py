"""Backfill and the last minutes from the meter's memory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.devices.errors import DeviceBusy, DeviceUnreachable, PayloadInvalid, WrongDevice
from apps.devices.shelly.history import MeterHistory
from apps.devices.shelly.minutes import MONOPHASE_KEYS, TRIPHASE_KEYS
from apps.devices.wording import words_of

from .meters import Answer, InProcess, Reply, session_with

MAC = "0A1B2C3D4E5F"
START = datetime(2026, 1, 1, 6, 0, tzinfo=UTC)
START_S = 1767247200
SYS = {"mac": MAC, "unixtime": START_S + 86_400, "uptime": 90_000}
PAGE_ROWS = 6


class Memory:
    """A meter that holds ``rows`` (minute → energy of each phase) and cuts pages at six rows."""

    def __init__(self, rows: dict[int, tuple[float, ...]], *, profile: str = "triphase", channels: int = 3):
        self.rows = rows
        self.profile = profile
        self.channels = channels
        self.system: dict[str, Any] = dict(SYS)

    def __call__(self, path: str, query: dict[str, str]) -> Reply:
        if path == "/rpc/Sys.GetStatus":
            return Reply(self.system)
        component = "em1data" if self.profile == "monophase" else "emdata"
        channel = int(query["id"]) if "id" in query else int(path.split("/")[2])
        if component not in path.lower().split("/rpc/")[-1].replace("/", ".").split("."):
            return Reply({"code": 404, "message": f"No handler for {path[5:]}"}, 404)
        if channel >= self.channels:
            return Reply({"code": -105, "message": "Argument 'id', value not found!"}, 500)
        if path.endswith("GetRecords"):
            first, last = min(self.rows), max(self.rows)
            count = (last - first) // 60 + 1
            return Reply({"data_blocks": [{"ts": first, "period": 60, "records": count}]})
        times = [at for at in sorted(self.rows) if int(query["ts"]) <= at <= int(query["end_ts"])]
        return self._csv(times, channel) if path.endswith(".csv") else self._page(times, channel)

    def _values(self, at: int, channel: int) -> list[float]:
        keys = MONOPHASE_KEYS if self.profile == "monophase" else TRIPHASE_KEYS
        values = dict.fromkeys(keys, 0.0) | {key: 231.0 for key in keys if key.endswith("max_voltage")}
        if self.profile == "monophase":
            values["total_act_energy"] = self.rows[at][channel]
        else:
            values |= {
                f"{letter}_total_act_energy": energy
                for letter, energy in zip("abc", self.rows[at], strict=True)
            }
        return list(values.values())

    def _csv(self, times: list[int], channel: int) -> Reply:
        lines = [",".join(str(cell) for cell in [at, *self._values(at, channel)]) for at in times]
        keys = MONOPHASE_KEYS if self.profile == "monophase" else TRIPHASE_KEYS
        return Reply("\r\n".join([",".join(["timestamp", *keys]), *lines, ""]).encode())

    def _page(self, times: list[int], channel: int) -> Reply:
        data = [{"ts": at, "period": 60, "values": [self._values(at, channel)]} for at in times[:PAGE_ROWS]]
        body: dict[str, Any] = {"data": data}
        if len(times) > PAGE_ROWS:
            body["next_record_ts"] = times[PAGE_ROWS]
        return Reply(body)


def memory(minutes: Iterable[int], **options: Any) -> Memory:
    return Memory({START_S + 60 * minute: (1.0 + minute, 0.5, 0.25) for minute in minutes}, **options)


def history(
    answer: Answer, now: datetime = START + timedelta(days=1), believed_from: datetime | None = None
) -> tuple[MeterHistory, InProcess]:
    adapter = InProcess(answer)
    waits: list[float] = []
    meter = MeterHistory(
        "http://meter.test",
        device=MAC,
        clock=lambda: now,
        session=session_with(adapter),
        sleep=waits.append,
        believed_from=believed_from,
    )
    return meter, adapter


def asked(adapter: InProcess, ending: str) -> list[tuple[int, int]]:
    return [
        (int(query["ts"]) - START_S, int(query["end_ts"]) - START_S)
        for path, query in adapter.asked
        if path.endswith(ending)
    ]


def test_a_gap_is_read_in_chunks_of_one_hour() -> None:
    meter, adapter = history(memory(range(0, 150)))
    rows = list(meter.fetch_chunk(START, START + timedelta(minutes=150), "triphase"))
    assert [row.at for row in rows] == [START + timedelta(minutes=minute) for minute in range(150)]
    assert (rows[7].energy_wh, rows[7].total_energy_wh) == ((8.0, 0.5, 0.25), 8.75)
    assert asked(adapter, ".csv") == [(0, 3600), (3600, 7200), (7200, 9000)]


def test_rows_that_the_meter_does_not_hold_stay_absent() -> None:
    meter, _ = history(memory([0, 1, 30]))
    rows = list(meter.fetch_chunk(START, START + timedelta(hours=1), "triphase"))
    assert [(row.at - START).total_seconds() / 60 for row in rows] == [0, 1, 30]


def test_nothing_is_asked_or_believed_beyond_now() -> None:
    now = START + timedelta(minutes=10, seconds=30)
    answer = memory(range(0, 60))
    answer.system["unixtime"] = START_S + 630
    meter, adapter = history(answer, now)
    rows = list(meter.fetch_chunk(START, START + timedelta(hours=5), "triphase"))
    assert (len(rows), asked(adapter, ".csv")) == (11, [(0, 630)])
    assert list(meter.fetch_recent(now, START + timedelta(hours=1), "triphase")) == []


def test_channels_are_read_one_by_one_and_joined_by_minute() -> None:
    meter, adapter = history(memory([0, 1], profile="monophase"))
    rows = list(meter.fetch_chunk(START, START + timedelta(hours=1), "monophase"))
    assert [row.energy_wh for row in rows] == [(1.0, 0.5, 0.25), (2.0, 0.5, 0.25)]
    assert [path for path, _ in adapter.asked if path.endswith(".csv")] == [
        "/em1data/0/data.csv",
        "/em1data/1/data.csv",
        "/em1data/2/data.csv",
    ]
    assert [
        row.energy_wh for row in meter.fetch_recent(START, START + timedelta(minutes=1), "monophase")
    ] == [(1.0, 0.5, 0.25)]


def test_a_meter_with_two_channels_has_no_third() -> None:
    meter, _ = history(memory([0, 1], profile="monophase", channels=2))
    end = START + timedelta(hours=1)
    expected = [(1.0, 0.5, None), (2.0, 0.5, None)]
    assert [row.energy_wh for row in meter.fetch_chunk(START, end, "monophase")] == expected
    assert [row.energy_wh for row in meter.fetch_recent(START, end, "monophase")] == expected


@pytest.mark.parametrize(("profile", "other"), [("triphase", "monophase"), ("monophase", "triphase")])
def test_a_switched_profile_is_said(profile: str, other: str) -> None:
    meter, _ = history(memory([0, 1], profile=other))
    end = START + timedelta(hours=1)
    for read in (
        lambda: list(meter.fetch_chunk(START, end, profile)),
        lambda: list(meter.fetch_recent(START, end, profile)),
        lambda: meter.extent(profile),
    ):
        with pytest.raises(WrongDevice) as caught:
            read()
        assert caught.value.code == "profile_changed"


def test_rows_of_another_device_are_not_read() -> None:
    answer = memory([0, 1])
    answer.system["mac"] = "FF:FF:FF:FF:FF:FF"
    meter, adapter = history(answer)
    with pytest.raises(WrongDevice) as caught:
        list(meter.fetch_chunk(START, START + timedelta(hours=1), "triphase"))
    assert (caught.value.code, len(adapter.asked)) == ("another_device", 1)
    assert words_of(caught.value).sentence == "A different Shelly (FFFFFFFFFFFF) is responding at meter.test."


def test_the_last_five_minutes_are_one_request() -> None:
    meter, adapter = history(memory(range(0, 60)))
    start = START + timedelta(minutes=30)
    rows = list(meter.fetch_recent(start, start + timedelta(minutes=5), "triphase"))
    assert [row.energy_wh[0] for row in rows] == [31.0, 32.0, 33.0, 34.0, 35.0]
    assert asked(adapter, "GetData") == [(1800, 2100)]


def test_longer_stretches_follow_the_pages() -> None:
    meter, adapter = history(memory([*range(0, 20), *range(40, 50)]))
    rows = list(meter.fetch_recent(START, START + timedelta(hours=1), "triphase"))
    assert len(rows) == 30
    assert [start for start, _ in asked(adapter, "GetData")] == [0, 360, 720, 1080, 2640]


@pytest.mark.parametrize(
    "following", [None, START_S, START_S - 60, 0, START_S + 3600, START_S + 7200, "x", True]
)
def test_paging_ends_where_the_next_record_is_missing_stands_still_or_lies_behind_the_end(
    following: object,
) -> None:
    body = {"data": [], "next_record_ts": following}
    meter, adapter = history(lambda path, query: Reply(body))
    assert list(meter.fetch_recent(START, START + timedelta(hours=1), "triphase")) == []
    assert [path for path, _ in adapter.asked].count("/rpc/EMData.GetData") == 1


@settings(deadline=None)
@given(following=st.lists(st.none() | st.integers(START_S - 100, START_S + 4000), min_size=1, max_size=30))
def test_paging_always_ends(following: list[int | None]) -> None:
    answers = iter([*following, None])
    meter, adapter = history(lambda path, query: Reply({"data": [], "next_record_ts": next(answers)}))
    list(meter.fetch_recent(START, START + timedelta(hours=1), "triphase"))
    starts = [start for start, _ in asked(adapter, "GetData")]
    assert starts == sorted(set(starts))


@settings(deadline=None)
@given(minutes=st.sets(st.integers(0, 119)), start=st.integers(0, 119), length=st.integers(0, 119))
def test_export_and_pages_give_the_same_rows(minutes: set[int], start: int, length: int) -> None:
    meter, _ = history(memory(minutes))
    begin = START + timedelta(minutes=start)
    end = begin + timedelta(minutes=length)
    by_export = list(meter.fetch_chunk(begin, end, "triphase"))
    assert by_export == list(meter.fetch_recent(begin, end, "triphase"))
    assert [(row.at - START).total_seconds() / 60 for row in by_export] == sorted(
        minute for minute in minutes if start <= minute < start + length
    )


def test_what_the_meter_holds() -> None:
    meter, adapter = history(memory(range(10, 60)))
    extent = meter.extent()
    assert extent is not None
    assert (extent.start, extent.end) == (START + timedelta(minutes=10), START + timedelta(hours=1))
    assert adapter.asked == [("/rpc/Sys.GetStatus", {}), ("/rpc/EMData.GetRecords", {"id": "0", "ts": "0"})]


def test_the_export_takes_the_period_that_the_meter_told() -> None:
    def answer(path: str, query: dict[str, str]) -> Reply:
        if path.endswith("GetRecords"):
            return Reply({"data_blocks": [{"ts": START_S, "period": 300, "records": 12}]})
        return memory([0, 5])(path, query)

    meter, _ = history(answer)
    meter.extent()
    rows = list(meter.fetch_chunk(START, START + timedelta(hours=1), "triphase"))
    assert [row.period_s for row in rows] == [300, 300]


def test_a_meter_without_a_clock_has_no_history_yet() -> None:
    answer = memory([0])
    answer.system["unixtime"] = None
    with pytest.raises(DeviceBusy) as caught:
        history(answer)[0].extent()
    assert caught.value.code == "clock_not_set"


def test_rows_before_a_broken_line_are_kept_and_the_line_is_named() -> None:
    def answer(path: str, query: dict[str, str]) -> Reply:
        reply = memory(range(0, 60))(path, query)
        return Reply(reply.content[:-100]) if path.endswith(".csv") else reply

    meter, _ = history(answer)
    rows = meter.fetch_chunk(START, START + timedelta(hours=1), "triphase")
    first = [next(rows) for _ in range(59)]
    with pytest.raises(PayloadInvalid) as caught:
        list(rows)
    assert first[-1].at == START + timedelta(minutes=58)
    assert caught.value.path == "line 61"
    assert (
        words_of(caught.value).sentence
        == "The response from the meter at meter.test could not be read (line 61)."
    )


def test_a_failing_meter_is_not_taken_for_an_empty_one() -> None:
    meter, _ = history(lambda path, query: Reply(b"", 500))
    with pytest.raises(DeviceUnreachable):
        list(meter.fetch_chunk(START, START + timedelta(hours=1), "triphase"))
    with pytest.raises(DeviceUnreachable):
        meter.extent()


@pytest.mark.parametrize("offset_s", [61, -61, 3600, -86_400])
def test_while_the_clock_is_more_than_a_minute_off_no_row_is_read(offset_s: int) -> None:
    answer = memory(range(0, 60))
    answer.system["unixtime"] = START_S + 86_400 + offset_s
    meter, adapter = history(answer)
    end = START + timedelta(hours=1)
    for ask in (
        lambda: meter.extent(),
        lambda: list(meter.fetch_chunk(START, end, "triphase")),
        lambda: list(meter.fetch_recent(START, end, "triphase")),
    ):
        with pytest.raises(DeviceBusy) as refused:
            ask()
        assert (refused.value.code, refused.value.details["offset_s"]) == ("clock_wrong", offset_s)
    assert {path for path, _query in adapter.asked} == {"/rpc/Sys.GetStatus"}


@pytest.mark.parametrize("offset_s", [60, -60, 0])
def test_a_clock_within_a_minute_is_right(offset_s: int) -> None:
    answer = memory(range(0, 60))
    answer.system["unixtime"] = START_S + 86_400 + offset_s
    meter, _adapter = history(answer)
    assert len(list(meter.fetch_chunk(START, START + timedelta(hours=1), "triphase"))) == 60


def test_of_a_clock_that_was_set_right_only_rows_since_then_are_read() -> None:
    since = START + timedelta(minutes=40)
    meter, adapter = history(memory(range(0, 60)), believed_from=since)
    extent = meter.extent()
    assert extent is not None
    assert (extent.start, extent.end) == (since, START + timedelta(hours=1))
    rows = list(meter.fetch_chunk(START, START + timedelta(hours=1), "triphase"))
    assert [row.at for row in rows] == [START + timedelta(minutes=minute) for minute in range(40, 60)]
    recent = list(
        meter.fetch_recent(START + timedelta(minutes=38), START + timedelta(minutes=42), "triphase")
    )
    assert [row.at for row in recent] == [since, since + timedelta(minutes=1)]
    assert asked(adapter, ".csv") == [(2400, 3600)]


def test_nothing_is_asked_for_before_the_clock_was_set_right() -> None:
    meter, adapter = history(memory(range(0, 60)), believed_from=START + timedelta(hours=2))
    assert meter.extent() is None
    assert list(meter.fetch_chunk(START, START + timedelta(hours=1), "triphase")) == []
    assert asked(adapter, ".csv") == []
