"""The meter's own history: pages, what it holds, and the CSV export."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.devices.errors import PayloadInvalid
from apps.devices.readings import MinuteRecord
from apps.devices.shelly.minutes import MONOPHASE_KEYS, TRIPHASE_KEYS
from apps.devices.shelly.parse import csv_minutes, history_page, merge_channels, records_extent
from apps.devices.wording import words_of

from .payloads import payload

MAC = "0A1B2C3D4E5F"
START = 1767247200


def times(rows: list[MinuteRecord]) -> list[int]:
    return [int(row.at.timestamp()) for row in rows]


def csv_row(at: object, *energies: object, voltage: object = 231.0) -> str:
    """A row of the triphase export with the energies of a, b, c."""
    cells = ["0.0"] * len(TRIPHASE_KEYS)
    for letter, energy in zip("abc", energies, strict=True):
        cells[TRIPHASE_KEYS.index(f"{letter}_total_act_energy")] = str(energy)
        cells[TRIPHASE_KEYS.index(f"{letter}_max_voltage")] = str(voltage)
    return ",".join([str(at), *cells])


HEADER = ",".join(["timestamp", *TRIPHASE_KEYS])


def test_a_page_has_rows_at_their_own_minutes_and_says_where_it_goes_on() -> None:
    rows, following = history_page(payload("history_triphase"), MAC)
    assert times(rows) == [START, START + 60, START + 300]  # the block of ts 180 is left out
    assert [row.energy_wh for row in rows] == [
        (11.7083, 11.635, 0.0),
        (11.5, 11.25, 0.0),
        (2.5, 2.25, None),  # c is unconnected: no voltage, noise only
    ]
    assert [row.energy_returned_wh for row in rows] == [(0.0, 0.0, 0.0), (0.0, 0.0, 0.2067), (0.0, 0.0, None)]
    assert [row.total_energy_wh for row in rows] == [23.3433, 22.75, 4.75]
    assert following == 1767247560


@pytest.mark.parametrize(
    ("channel", "energy"),
    [(0, (11.5, None, None)), (1, (None, 11.5, None)), (2, (None, None, 11.5))],
)
def test_a_page_of_one_channel_is_that_channels(channel: int, energy: tuple[float | None, ...]) -> None:
    rows, following = history_page(payload("history_monophase"), MAC, channel)
    assert (rows[1].energy_wh, rows[1].total_energy_wh, following) == (energy, 11.5, None)


def test_a_page_of_one_channel_needs_to_know_which() -> None:
    with pytest.raises(PayloadInvalid) as caught:
        history_page(payload("history_monophase"), MAC)
    assert caught.value.code == "channel_needed"


def test_columns_are_found_by_name_in_any_order_and_new_ones_ignored() -> None:
    body = {
        "keys": ["new_one", "c_total_act_energy", "a_total_act_energy"],
        "data": [{"ts": START, "period": 300, "values": [["text", 3.0, 1.0]]}],
    }
    rows, _ = history_page(body, MAC)
    assert (rows[0].energy_wh, rows[0].period_s, rows[0].total_energy_wh) == ((1.0, None, 3.0), 300, 4.0)


def test_rows_without_names_have_the_documented_order() -> None:
    body = payload("history_triphase")
    del body["keys"]
    assert history_page(body, MAC) == history_page(payload("history_triphase"), MAC)


def test_rows_from_the_future_are_left_out() -> None:
    now = datetime.fromtimestamp(START + 90, UTC)
    rows, _ = history_page(payload("history_triphase"), MAC, now=now)
    assert times(rows) == [START, START + 60]


@pytest.mark.parametrize("value", [None, "1.5", float("nan"), -0.5, True])
def test_an_energy_that_is_no_amount_is_missing_and_the_total_is_of_the_others(value: object) -> None:
    body = payload("history_triphase")
    body["data"][1]["values"][0][0] = value
    row = history_page(body, MAC)[0][0]
    assert (row.energy_wh, row.total_energy_wh) == ((None, 11.635, 0.0), 11.635)


@pytest.mark.parametrize("value", [2500.1, 1e12, float("inf")])
def test_a_row_with_more_energy_than_can_be_measured_is_refused(value: float) -> None:
    body = payload("history_triphase")
    body["data"][1]["values"][0][0] = value
    with pytest.raises(PayloadInvalid) as caught:
        history_page(body, MAC)
    assert (caught.value.code, caught.value.path) == ("impossible_energy", "data[1].values[0]")


def test_a_file_with_more_energy_than_can_be_measured_names_the_line() -> None:
    cells = [str(START), "2500.1", *["0"] * 50]
    with pytest.raises(PayloadInvalid) as caught:
        list(csv_minutes([",".join(cells)], MAC))
    assert (caught.value.code, caught.value.path) == ("impossible_energy", "line 1")
    cells[1] = "1733.0"  # 400 A at 260 V for a minute
    assert [row.energy_wh[0] for row in csv_minutes([",".join(cells)], MAC)] == [1733.0]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"data": None}, "data"),
        ({"data": ["x"]}, "data[0]"),
        ({"data": [{"period": 60, "values": []}]}, "data[0].ts"),
        ({"data": [{"ts": "1", "period": 60, "values": []}]}, "data[0].ts"),
        ({"data": [{"ts": 2**40, "period": 60, "values": []}]}, "data[0].ts"),
        ({"data": [{"ts": START, "values": []}]}, "data[0].period"),
        ({"data": [{"ts": START, "period": 0, "values": []}]}, "data[0].period"),
        ({"data": [{"ts": START, "period": 60}]}, "data[0].values"),
        ({"data": [{"ts": START, "period": 60, "values": [[1, 2]]}]}, "data[0].values[0]"),
        ({"data": [{"ts": START, "period": 60, "values": [None]}]}, "data[0].values[0]"),
        ({"keys": "abc"}, "keys"),
        ({"keys": [1, 2]}, "keys"),
        ({"keys": ["x"], "data": [{"ts": START, "period": 60, "values": [[1]]}]}, "keys"),
    ],
)
def test_a_page_that_cannot_be_read_names_the_place(change: dict[str, Any], path: str) -> None:
    with pytest.raises(PayloadInvalid) as caught:
        history_page({**payload("history_triphase"), **change}, MAC)
    assert caught.value.path == path


def test_channels_of_one_minute_become_one_row() -> None:
    rows: list[MinuteRecord] = []
    for channel in (2, 0):
        rows += history_page(payload("history_monophase"), MAC, channel)[0]
    merged = merge_channels(rows[1:])
    assert times(merged) == [START, START + 60]
    assert [row.energy_wh for row in merged] == [(11.7083, None, None), (11.5, None, 11.5)]
    assert [row.energy_returned_wh[0] for row in merged] == [0.0, 0.0004]
    assert [row.total_energy_wh for row in merged] == [11.7083, 23.0]


def test_what_the_meter_holds_reaches_from_the_first_row_to_the_end_of_the_last() -> None:
    extent = records_extent(
        {
            "data_blocks": [
                {"ts": START + 6000, "period": 300, "records": 2},
                {"ts": START, "period": 60, "records": 10},
                {"ts": 180, "period": 60, "records": 5},
                {"ts": START + 9000, "period": 300, "records": 0},
            ]
        }
    )
    assert extent is not None
    assert (extent.start.timestamp(), extent.end.timestamp()) == (START, START + 6600)
    assert (extent.period_s, [block.period_s for block in extent.blocks]) == (300, [60, 300])


def test_a_meter_that_holds_nothing_has_no_extent() -> None:
    assert records_extent({"data_blocks": []}) is None
    assert records_extent({"data_blocks": [{"ts": 180, "period": 60, "records": 5}]}) is None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (None, "data_blocks"),
        ({"data_blocks": {}}, "data_blocks"),
        ({"data_blocks": [{"ts": START, "period": 60}]}, "data_blocks[0].records"),
        ({"data_blocks": [{"ts": START, "records": 1}]}, "data_blocks[0].period"),
        ({"data_blocks": [{"ts": 2**33 - 60, "period": 60, "records": 10}]}, "data_blocks[0].records"),
    ],
)
def test_a_list_of_records_that_cannot_be_read_names_the_place(body: object, path: str) -> None:
    with pytest.raises(PayloadInvalid) as caught:
        records_extent(body)
    assert caught.value.path == path


@pytest.mark.parametrize("header", [[HEADER + "\n"], ["\ufeff" + HEADER + "\r\n"], []])
def test_the_export_reads_with_and_without_header(header: list[str]) -> None:
    lines = [*header, csv_row(START, 1.5, 2.25, 0) + "\r\n", "\n", csv_row(START + 60, 1, 2, 3)]
    rows = list(csv_minutes(lines, MAC))
    assert times(rows) == [START, START + 60]
    assert [row.energy_wh for row in rows] == [(1.5, 2.25, 0.0), (1.0, 2.0, 3.0)]
    assert {(row.device, row.period_s) for row in rows} == {(MAC, 60)}


def test_exports_joined_into_one_file_keep_their_headers() -> None:
    short = "timestamp,c_total_act_energy"
    lines = [HEADER, csv_row(START, 1, 2, 3), short, f"{START + 60},7"]
    assert [row.energy_wh for row in csv_minutes(lines, MAC)] == [(1.0, 2.0, 3.0), (None, None, 7.0)]


@pytest.mark.parametrize("header", [True, False])
def test_the_export_of_one_channel_needs_the_channel(header: bool) -> None:
    lines = [",".join(["timestamp", *MONOPHASE_KEYS])] if header else []
    lines.append(",".join([str(START), "22.5", "0.25", *["231"] * 12]))
    row = next(csv_minutes(lines, MAC, 2))
    assert (row.energy_wh, row.energy_returned_wh) == ((None, None, 22.5), (None, None, 0.25))
    with pytest.raises(PayloadInvalid) as caught:
        list(csv_minutes(lines, MAC))
    assert (caught.value.code, caught.value.path) == ("channel_needed", "line 1")


@pytest.mark.parametrize(
    "broken",
    [
        csv_row(START + 120, 1, 2, 3)[:-30],
        csv_row(START + 120, 1, 2, "x"),
        csv_row(START + 120, 1, 2, "1_0"),
        csv_row("", 1, 2, 3),
        csv_row("-5", 1, 2, 3),
        csv_row(f"{START + 120}.5", 1, 2, 3),
        csv_row(2**33, 1, 2, 3),
        csv_row(START + 86_400, 1, 2, 3),
        csv_row(START + 120, 1, 2, 3) + ",",
        "<html>",
        "\x00",
    ],
)
def test_a_broken_line_is_named_and_what_was_before_it_is_kept(broken: str) -> None:
    now = datetime.fromtimestamp(START + 3600, UTC)
    lines = [
        HEADER,
        csv_row(START, 1, 2, 3),
        csv_row(START + 60, 1, 2, 3),
        broken,
        csv_row(START + 180, 1, 2, 3),
    ]
    reading = csv_minutes(lines, MAC, now=now)
    assert times([next(reading), next(reading)]) == [START, START + 60]
    with pytest.raises(PayloadInvalid) as caught:
        next(reading)
    assert caught.value.path == "line 4"
    assert "Line 4" in words_of(caught.value).sentence


def test_a_file_that_is_no_export_is_refused_at_its_first_line() -> None:
    for lines in (["hello"], ["a,b,c"], ["timestamp,power"], ['{"data": []}']):
        with pytest.raises(PayloadInvalid) as caught:
            list(csv_minutes(lines, MAC))
        assert caught.value.path == "line 1"


def test_an_empty_export_has_no_rows() -> None:
    assert list(csv_minutes([], MAC)) == []
    assert list(csv_minutes([HEADER], MAC)) == []


def test_rows_from_before_the_clock_was_set_and_empty_cells_are_left_out() -> None:
    lines = [
        csv_row(180, 9, 9, 9),
        csv_row(START, "", "nan", -1),
        csv_row(START + 60, 0.0004, 0, 5, voltage="0"),
    ]
    rows = list(csv_minutes(lines, MAC))
    assert times(rows) == [START, START + 60]
    assert [row.energy_wh for row in rows] == [(None, None, None), (None, None, 5.0)]
    assert [row.total_energy_wh for row in rows] == [None, 5.0]


def test_the_period_of_an_export_is_told_by_the_caller() -> None:
    assert next(csv_minutes([csv_row(START, 1, 2, 3)], MAC, period_s=300)).period_s == 300


energies = st.none() | st.integers(0, 10**7).map(lambda value: value / 10_000)
minute_rows = st.lists(st.tuples(energies, energies, energies), max_size=20)


@settings(deadline=None)
@given(rows=minute_rows, header=st.booleans())
def test_the_export_and_a_page_tell_the_same(rows: list[tuple[float | None, ...]], header: bool) -> None:
    lines = [HEADER] if header else []
    values: list[list[float | None]] = []
    for index, row in enumerate(rows):
        lines.append(csv_row(START + 60 * index, *["" if energy is None else energy for energy in row]))
        cells: list[float | None] = [0.0] * len(TRIPHASE_KEYS)
        for letter, energy in zip("abc", row, strict=True):
            cells[TRIPHASE_KEYS.index(f"{letter}_total_act_energy")] = energy
            cells[TRIPHASE_KEYS.index(f"{letter}_max_voltage")] = 231.0
        values.append(cells)
    body = {"keys": list(TRIPHASE_KEYS), "data": [{"ts": START, "period": 60, "values": values}]}
    from_csv = list(csv_minutes(lines, MAC))
    assert from_csv == history_page(body, MAC)[0]
    assert [row.energy_wh for row in from_csv] == rows


@settings(deadline=None)
@given(lines=st.lists(st.text(max_size=40) | st.just(HEADER) | st.just(csv_row(START, 1, 2, 3)), max_size=6))
def test_any_text_gives_rows_or_names_the_line(lines: list[str]) -> None:
    rows: list[MinuteRecord] = []
    try:
        for row in csv_minutes(lines, MAC):
            rows.append(row)
    except PayloadInvalid as error:
        number = int(error.path.removeprefix("line "))
        assert 1 <= number <= len(lines)
        assert len(rows) == lines[: number - 1].count(csv_row(START, 1, 2, 3))
    else:
        assert len(rows) == lines.count(csv_row(START, 1, 2, 3))


answer_keys = st.sampled_from(
    ["keys", "data", "ts", "period", "values", "next_record_ts", "data_blocks", "records"]
)
answers = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(answer_keys, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(body=answers)
def test_whatever_is_answered_gives_rows_or_names_the_place(body: object) -> None:
    for read in (lambda body: history_page(body, MAC), records_extent):
        try:
            read(body)
        except PayloadInvalid as error:
            assert error.path
