"""◇ The meter's own history: rows of EMData.GetData, EM1Data.GetData and of its CSV export. Pure.

Row j of a block is at ``ts + j * period`` and holds the energy of the period that starts there, not a
counter. Rows from before the meter had set its clock (ts below 1e9) are dropped. A channel that was
without voltage all the time is unconnected: its energy is None, not a measured zero. A row with more energy
than a meter can measure is refused, not stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ..errors import IMPOSSIBLE, PayloadInvalid
from ..readings import PHASES, HistoryBlock, HistoryExtent, MinuteRecord

EARLIEST_TIME, LATEST_TIME = 1_000_000_000, 2**33
LARGEST_POWER_W = 150_000.0
"""More than any meter can measure on one phase: the largest clamps reach 400 A, at 260 V 104 kW."""

NOISE_WH = 0.001  # what an unconnected channel collects in a minute stays below this
LONGEST_PERIOD_S = 86_400

_CHANNEL_KEYS = (
    *("total_act_energy", "total_act_ret_energy", "lag_react_energy", "lead_react_energy"),
    *("max_act_power", "min_act_power", "max_aprt_power", "min_aprt_power"),
    *("max_voltage", "min_voltage", "avg_voltage", "max_current", "min_current", "avg_current"),
)
_PHASE_KEYS = (
    *("total_act_energy", "fund_act_energy", "total_act_ret_energy", "fund_act_ret_energy"),
    *_CHANNEL_KEYS[2:],
)
TRIPHASE_KEYS = (
    *(f"{letter}_{key}" for letter in PHASES for key in _PHASE_KEYS),
    *("n_max_current", "n_min_current", "n_avg_current"),
)
MONOPHASE_KEYS = _CHANNEL_KEYS
_KEYS_BY_COUNT = {len(TRIPHASE_KEYS): TRIPHASE_KEYS, len(MONOPHASE_KEYS): MONOPHASE_KEYS}

Triple = tuple[float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where in a row to find energy, returned energy and highest voltage of phases a, b, c."""

    energy: tuple[int | None, int | None, int | None]
    returned: tuple[int | None, int | None, int | None]
    voltage: tuple[int | None, int | None, int | None]


def history_page(
    body: object, device: str, channel: int | None = None, *, now: datetime | None = None
) -> tuple[list[MinuteRecord], int | None]:
    """Return the rows of one GetData answer and ``next_record_ts`` as given (None: this was the last page).

    ``channel`` (0, 1, 2) is needed for EM1Data, whose answers do not name it. Rows that start after
    ``now`` are refused, that is left out. Raises PayloadInvalid with the path.
    """
    if not isinstance(body, Mapping) or not isinstance(body.get("data"), list):
        raise PayloadInvalid(path="data")
    rows: list[MinuteRecord] = []
    for index, block in enumerate(body["data"]):
        rows += _block_rows(block, body.get("keys"), device, channel, f"data[{index}]")
    if now is not None:
        rows = [row for row in rows if row.at <= now]
    next_ts = body.get("next_record_ts")
    return rows, next_ts if type(next_ts) is int else None


def merge_channels(records: Iterable[MinuteRecord]) -> list[MinuteRecord]:
    """Merge rows that each know one channel into rows of all channels, ordered by time."""
    by_time: dict[datetime, MinuteRecord] = {}
    for record in records:
        other = by_time.get(record.at)
        by_time[record.at] = record if other is None else _merged(other, record)
    return [by_time[at] for at in sorted(by_time)]


def records_extent(body: object) -> HistoryExtent | None:
    """Return what the meter holds, from a GetRecords answer; None if it holds nothing. Raises
    PayloadInvalid."""
    if not isinstance(body, Mapping) or not isinstance(body.get("data_blocks"), list):
        raise PayloadInvalid(path="data_blocks")
    blocks = []
    for index, block in enumerate(body["data_blocks"]):
        path = f"data_blocks[{index}]"
        start, period_s = _block_times(block, path)
        count = block.get("records")
        if type(count) is not int or not 0 <= count < 10_000_000:
            raise PayloadInvalid(path=f"{path}.records")
        if start < EARLIEST_TIME or count == 0:
            continue
        blocks.append(
            HistoryBlock(
                start=_instant(start, f"{path}.ts"),
                end=_instant(start + count * period_s, f"{path}.records"),
                period_s=period_s,
            )
        )
    if not blocks:
        return None
    blocks.sort(key=lambda block: block.start)
    return HistoryExtent(
        start=blocks[0].start,
        end=max(block.end for block in blocks),
        period_s=blocks[-1].period_s,
        blocks=tuple(blocks),
    )


def csv_minutes(
    lines: Iterable[str],
    device: str,
    channel: int | None = None,
    *,
    now: datetime | None = None,
    period_s: int = 60,
) -> Iterator[MinuteRecord]:
    """Yield the rows of the meter's CSV export, one by one, with or without a header line.

    ``/emdata/0/data.csv`` has a time and 51 columns; ``/em1data/N/data.csv`` a time and 14, and needs
    ``channel`` N (0, 1, 2). The export does not tell its period. A line that cannot be read, or that
    starts after ``now``, raises PayloadInvalid naming the line; the rows before it were given already.
    """
    columns: _Columns | None = None
    width = 0
    for number, line in enumerate(lines, start=1):
        cells = line.strip("\ufeff \t\r\n").split(",")
        path = f"line {number}"
        if cells == [""]:
            continue
        if cells[0] == "timestamp":
            columns, width = _columns(cells[1:], channel, path), len(cells)
            continue
        if columns is None:
            keys = _KEYS_BY_COUNT.get(len(cells) - 1)
            if keys is None:
                raise PayloadInvalid("line_unknown", path=path, line=number)
            columns, width = _columns(keys, channel, path), len(cells)
        if len(cells) != width:
            raise PayloadInvalid("line_columns", path=path, line=number, columns=len(cells), expected=width)
        at = _csv_time(cells[0], number)
        if at < EARLIEST_TIME:
            continue
        if now is not None and at > now.timestamp():
            raise PayloadInvalid("future", path=path, line=number)
        yield _record(_instant(at, path), period_s, _csv_cells(cells, columns, number), columns, device, path)


def _block_rows(
    block: object, keys: object, device: str, channel: int | None, path: str
) -> Iterator[MinuteRecord]:
    start, period_s = _block_times(block, path)
    values = block.get("values") if isinstance(block, Mapping) else None
    if not isinstance(values, list):
        raise PayloadInvalid(path=f"{path}.values")
    for index, row in enumerate(values):
        row_path = f"{path}.values[{index}]"
        names = keys if keys is not None else _KEYS_BY_COUNT.get(len(row) if isinstance(row, list) else 0)
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise PayloadInvalid(path="keys")
        if not isinstance(row, list) or len(row) != len(names):
            raise PayloadInvalid(path=row_path)
        at = start + index * period_s
        if at >= EARLIEST_TIME:
            columns = _columns(names, channel, "keys", offset=0)
            yield _record(_instant(at, row_path), period_s, row, columns, device, row_path)


def _block_times(block: object, path: str) -> tuple[int, int]:
    if not isinstance(block, Mapping):
        raise PayloadInvalid(path=path)
    start, period_s = block.get("ts"), block.get("period")
    if type(start) is not int or not 0 <= start < LATEST_TIME:
        raise PayloadInvalid(path=f"{path}.ts")
    if type(period_s) is not int or not 1 <= period_s <= LONGEST_PERIOD_S:
        raise PayloadInvalid(path=f"{path}.period")
    return start, period_s


def _columns(keys: Sequence[str], channel: int | None, path: str, *, offset: int = 1) -> _Columns:
    """Return the columns by name; ``offset`` 1 where a time stands before them. Unknown names are ignored."""
    if "total_act_energy" in keys:
        if channel not in (0, 1, 2):
            raise PayloadInvalid("channel_needed", path=path)
        prefixes: list[str | None] = [None, None, None]
        prefixes[channel] = ""
    else:
        prefixes = [f"{letter}_" for letter in PHASES]
    places = {key: index + offset for index, key in enumerate(keys)}

    def find(key: str) -> tuple[int | None, int | None, int | None]:
        a, b, c = (None if prefix is None else places.get(prefix + key) for prefix in prefixes)
        return a, b, c

    columns = _Columns(find("total_act_energy"), find("total_act_ret_energy"), find("max_voltage"))
    if columns.energy == (None, None, None):
        raise PayloadInvalid("no_energy_column", path=path)
    return columns


def _record(
    at: datetime, period_s: int, row: Sequence[Any], columns: _Columns, device: str, path: str
) -> MinuteRecord:
    energy, returned = [], []
    for energy_column, returned_column, voltage_column in zip(
        columns.energy, columns.returned, columns.voltage, strict=True
    ):
        imported = _energy(row, energy_column, period_s, path)
        exported = _energy(row, returned_column, period_s, path)
        highest_voltage = None if voltage_column is None else row[voltage_column]
        if highest_voltage == 0 and (imported or 0) < NOISE_WH and (exported or 0) < NOISE_WH:
            imported = exported = None
        energy.append(imported)
        returned.append(exported)
    known = [value for value in energy if value is not None]
    return MinuteRecord(
        at=at,
        device=device,
        period_s=period_s,
        energy_wh=(energy[0], energy[1], energy[2]),
        energy_returned_wh=(returned[0], returned[1], returned[2]),
        total_energy_wh=round(sum(known), 4) if known else None,
    )


def _merged(one: MinuteRecord, other: MinuteRecord) -> MinuteRecord:
    energy = _either(one.energy_wh, other.energy_wh)
    known = [value for value in energy if value is not None]
    return replace(
        one,
        energy_wh=energy,
        energy_returned_wh=_either(one.energy_returned_wh, other.energy_returned_wh),
        total_energy_wh=round(sum(known), 4) if known else None,
    )


def _either(one: Triple, other: Triple) -> Triple:
    a, b, c = (mine if mine is not None else theirs for mine, theirs in zip(one, other, strict=True))
    return a, b, c


def _energy(row: Sequence[Any], column: int | None, period_s: int, path: str) -> float | None:
    """Return the energy of one period [Wh]; what is null, negative or no number is not measured. Raises
    PayloadInvalid for more than can be measured."""
    value: Any = None if column is None else row[column]
    if type(value) not in (float, int) or not value >= 0:
        return None
    if value > LARGEST_POWER_W * period_s / 3600:
        raise PayloadInvalid(IMPOSSIBLE, path=path)
    return float(value)


def _csv_time(cell: str, number: int) -> int:
    if not (cell.isascii() and cell.isdigit() and len(cell) <= 10 and int(cell) < LATEST_TIME):
        raise PayloadInvalid("line_time", path=f"line {number}", line=number)
    return int(cell)


def _csv_cells(cells: list[str], columns: _Columns, number: int) -> list[Any]:
    """Return the row with the needed cells as numbers, None where empty; the others stay as they are."""
    row: list[Any] = list(cells)
    for column in (*columns.energy, *columns.returned, *columns.voltage):
        if column is not None:
            row[column] = _csv_number(cells[column], number)
    return row


def _csv_number(cell: str, number: int) -> float | None:
    if cell.strip().lower() in {"", "null", "nan"}:
        return None
    try:
        if not cell.isascii() or "_" in cell:
            raise ValueError
        return float(cell)
    except ValueError:
        raise PayloadInvalid("line_value", path=f"line {number}", line=number) from None


def _instant(at: int, path: str) -> datetime:
    if at >= LATEST_TIME:
        raise PayloadInvalid(path=path)
    return datetime.fromtimestamp(at, UTC)
