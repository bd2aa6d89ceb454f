"""The meter's own history as it gives it away: pages of six rows, net energies, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from .shelly_meter import (
    MONOPHASE_KEYS,
    PHASES,
    TRIPHASE_KEYS,
    Meter,
    monophase_values,
    triphase_values,
)
from .shelly_rpc import MONOPHASE, TRIPHASE, Params, RpcError, number
from .wire import Answer

PAGE_ROWS = 6
NET_PERIODS_S = (300, 900, 1800, 3600)
NET_BUCKETS = 96
CSV_ROWS_PER_S = 60.0
CSV_LONGEST_S = 6 * 3600


def records(meter: Meter, params: Params, at: float) -> dict[str, Any]:
    """Answer ``EMData.GetRecords``: the blocks held."""
    since = number(params, "ts", 0)
    return {
        "data_blocks": [
            {"ts": start, "period": 60, "records": (end - start) // 60}
            for start, end in meter.blocks(at)
            if end > since
        ]
    }


def blocks_of(meter: Meter, profile: str, channel: int, minutes: Iterable[int]) -> list[dict[str, Any]]:
    """Group the rows into data blocks: one begins wherever a minute is missing."""
    blocks: list[dict[str, Any]] = []
    for minute in minutes:
        if not blocks or minute != blocks[-1]["ts"] + 60 * len(blocks[-1]["values"]):
            blocks.append({"ts": minute, "period": 60, "values": []})
        blocks[-1]["values"].append(_values(meter, profile, channel, minute))
    return blocks


def _values(meter: Meter, profile: str, channel: int, minute: int) -> list[float]:
    row = meter.row(minute)
    return triphase_values(row) if profile == TRIPHASE else monophase_values(row[channel])


def data(meter: Meter, profile: str, channel: int, params: Params, at: float) -> dict[str, Any]:
    """Answer ``EMData.GetData``: at most six rows, and where the next ones begin."""
    start, end = number(params, "ts", 0), number(params, "end_ts", int(at))
    page: list[int] = []
    following: int | None = None
    for minute in meter.minutes(at, start, end):
        if len(page) == PAGE_ROWS:
            following = minute
            break
        page.append(minute)
    answer: dict[str, Any] = {}
    if params.get("add_keys", True) not in (False, "false"):
        answer["keys"] = list(TRIPHASE_KEYS if profile == TRIPHASE else MONOPHASE_KEYS)
    answer["data"] = blocks_of(meter, profile, channel, page)
    if following is not None:
        answer["next_record_ts"] = following
    return answer


def net_energies(meter: Meter, profile: str, channel: int, params: Params, at: float) -> dict[str, Any]:
    """Answer ``EMData.GetNetEnergies``: import minus export in buckets that are aligned to the period."""
    period, start = number(params, "period", 300), number(params, "ts", 0)
    if period not in NET_PERIODS_S:
        raise RpcError(-103, f"Invalid argument 'period': {period}")
    if start % period:
        raise RpcError(-103, "Argument 'ts' is not aligned to the period")
    buckets: dict[int, list[float]] = {}
    for minute in meter.minutes(at, start, start + NET_BUCKETS * period - 60):
        sums = buckets.setdefault(minute - minute % period, [0.0, 0.0, 0.0])
        for index, row in enumerate(meter.row(minute)):
            sums[index] += row[0] - row[2]
    chosen = range(3) if profile == TRIPHASE else range(channel, channel + 1)
    blocks: list[dict[str, Any]] = []
    for bucket, sums in buckets.items():
        if not blocks or bucket != blocks[-1]["ts"] + period * len(blocks[-1]["values"]):
            blocks.append({"ts": bucket, "period": period, "values": []})
        blocks[-1]["values"].append([round(sums[index], 4) for index in chosen])
    triphase = [f"{name}_net_act_energy" for name in PHASES]
    answer: dict[str, Any] = {"keys": triphase if profile == TRIPHASE else ["net_act_energy"], "data": blocks}
    following = next(meter.minutes(at, start + NET_BUCKETS * period, int(at)), None)
    if following is not None:
        answer["next_record_ts"] = following - following % period
    return answer


def csv_export(meter: Meter, profile: str, path: str, query: Mapping[str, str], at: float) -> Answer:
    """Answer ``/emdata/0/data.csv``: 60 rows a second; beyond six hours the connection breaks."""
    parts = path.strip("/").split("/")
    component, channels = ("emdata", ("0",)) if profile == TRIPHASE else ("em1data", ("0", "1", "2"))
    if len(parts) != 3 or parts[0] != component or parts[1] not in channels:
        return Answer(404, {"Content-Type": "text/plain"}, b"Not Found")
    start, end = int(float(query.get("ts", 0))), int(float(query.get("end_ts", at)))
    keys = MONOPHASE_KEYS if profile == MONOPHASE else TRIPHASE_KEYS
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    if query.get("add_keys", "true") != "false":
        writer.writerow(["timestamp", *keys])
    count = 0
    for minute in meter.minutes(at, start, end):
        values = _values(meter, profile, int(parts[1]), minute)
        writer.writerow([minute, *(_csv_number(key, value) for key, value in zip(keys, values, strict=True))])
        count += 1
        if count * 60 > CSV_LONGEST_S:
            break
    headers = {"Content-Type": "text/csv", "Connection": "close"}
    body = file.getvalue().encode()
    return Answer(200, headers, body, count / CSV_ROWS_PER_S, cut=count * 60 > CSV_LONGEST_S)


def _csv_number(key: str, value: float) -> str:
    places = 4 if key.endswith("energy") else 1 if key.endswith("power") else 3
    return f"{value:.{places}f}"
