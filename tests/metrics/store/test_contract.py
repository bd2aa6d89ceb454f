"""What every engine answers alike. A further one is a row of ``ENGINES``."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from apps.metrics.store.base import Aggregate, Row, Sample, UnknownSeries
from apps.metrics.store.front import Store

from .engines import DAY, METER, MIDNIGHT, outside_row, power_row, power_rows


def instant(*when: int, zone: str) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp())  # type: ignore[arg-type]


def test_an_empty_store_knows_nothing(store: Store) -> None:
    assert store.latest(1, ["power_w"], 0) == {"power_w": None}
    assert store.extent(1, "meter") is None
    assert list(store.rows(1, "meter", 0, MIDNIGHT)) == []
    assert store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT + DAY]) == {"power_w": [Aggregate()]}
    empty = store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 60, 30)
    assert (empty.time, empty.count, empty.mean) == ([MIDNIGHT, MIDNIGHT + 30], [0, 0], [None, None])


def test_steps_give_count_sum_mean_min_and_max(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, [100, 200, 300, None, 50, 70]))
    found = store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 60, 30)
    assert found.name == "power_w"
    assert found.step_s == 30
    assert found.time == [MIDNIGHT, MIDNIGHT + 30]
    assert found.count == [3, 2]
    assert found.sum == [600, 120]
    assert found.mean == [200, 60]
    assert found.min == [100, 50]
    assert found.max == [300, 70]


def test_steps_lie_on_the_utc_grid_and_touch_the_range(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, [1, 2, 3, 4, 5, 6, 7, 8, 9]))
    found = store.series(1, "power_w", MIDNIGHT + 35, MIDNIGHT + 61, 30)
    assert found.time == [MIDNIGHT + 30, MIDNIGHT + 60]
    assert found.mean == [5, 8]


def test_a_step_without_a_value_is_none_and_a_zero_is_a_zero(store: Store) -> None:
    store.write([power_row(MIDNIGHT, 0), power_row(MIDNIGHT + 20, 0)])
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 30, 10).mean == [0, None, 0]


def test_negative_values_are_kept(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, [-1500.5, 20.5]))
    found = store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 20, 20)
    assert (found.sum, found.min, found.max) == ([-1480], [-1500.5], [20.5])


@pytest.mark.parametrize("step_s", [10, 60, 120, 300, 900, 3600, 21_600, 86_400])
def test_every_step_counts_each_value_once(store: Store, step_s: int) -> None:
    days = 3
    store.write(power_rows(MIDNIGHT, [index % 1000 for index in range(days * 1440)], step_s=60))
    found = store.series(1, "power_w", MIDNIGHT, MIDNIGHT + days * DAY, step_s)
    assert sum(found.count) == 4320
    assert sum(total for total in found.sum if total is not None) == 2_049_040  # 4 · Σ0…999 + Σ0…319
    assert len(found.time) == days * DAY // step_s


def test_a_second_write_replaces_only_the_given_fields(store: Store) -> None:
    first = Row(site=1, measurement="meter", device=METER, at=MIDNIGHT, values={"power_w": 5, "power_a_w": 1})
    store.write([first])
    store.write([dataclasses.replace(first, values={"power_a_w": 2, "power_b_w": 3})])
    (row,) = store.rows(1, "meter", MIDNIGHT, MIDNIGHT + 1, ["power_w", "power_a_w", "power_b_w"])
    assert row.values == {"power_w": 5, "power_a_w": 2, "power_b_w": 3}


def test_the_last_of_several_rows_of_one_instant_in_one_write_wins(store: Store) -> None:
    base = Row(site=1, measurement="meter", device=METER, at=MIDNIGHT, values={})
    values: list[dict[str, float | None]] = [{"power_w": 1}, {"power_w": 2, "power_a_w": 7}, {"power_w": 3}]
    store.write([dataclasses.replace(base, values=given) for given in values])
    (row,) = store.rows(1, "meter", MIDNIGHT, MIDNIGHT + 1, ["power_w", "power_a_w"])
    assert row.values == {"power_w": 3, "power_a_w": 7}


def test_none_erases_a_value_and_a_row_without_values_is_gone(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, [10, 20, 30]))
    store.write([power_row(MIDNIGHT + 20, None)])
    assert store.extent(1, "meter") == (MIDNIGHT, MIDNIGHT + 10)
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 30, 30).sum == [30]


def test_none_for_a_value_that_never_was_leaves_nothing(store: Store) -> None:
    store.write([power_row(MIDNIGHT, None)])
    assert store.extent(1, "meter") is None


def test_none_erases_a_value_that_was_rolled_up_long_ago(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, [100] * 1440, step_s=60))
    store.write([power_row(MIDNIGHT + 5 * DAY, 1)])
    store.write([power_row(MIDNIGHT + 60, None)])
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + DAY, DAY).sum == [143_900]
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 300, 300).count == [4]


def test_a_late_row_counts_in_every_step_it_touches(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, [100] * 100, step_s=3600))
    store.write([power_row(MIDNIGHT + 1800, 900)])
    for step_s in (3600, 21_600, 86_400):
        assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + step_s, step_s).max == [900]


def test_two_meters_of_a_site_are_one_series(store: Store) -> None:
    store.write([power_row(MIDNIGHT, 100, device="OLD"), power_row(MIDNIGHT + 10, 300, device="NEW")])
    found = store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 20, 20)
    assert (found.count, found.mean) == ([2], [200])
    assert store.latest(1, ["power_w"], 0) == {"power_w": Sample(at=MIDNIGHT + 10, value=300)}
    assert [row.device for row in store.rows(1, "meter", 0, MIDNIGHT + 60)] == ["OLD", "NEW"]


def test_sites_see_nothing_of_each_other(store: Store) -> None:
    store.write([power_row(MIDNIGHT, 100, site=1), power_row(MIDNIGHT, 900, site=2)])
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 10, 10).sum == [100]
    store.delete(2, "meter", 0, MIDNIGHT + DAY)
    assert store.latest(1, ["power_w"], 0)["power_w"] == Sample(at=MIDNIGHT, value=100)
    assert store.latest(2, ["power_w"], 0)["power_w"] is None


def test_circuits_are_series_of_their_own(store: Store) -> None:
    rows = [
        Row(
            site=1,
            measurement="heat_pump",
            device="7571",
            at=MIDNIGHT,
            values={"supply_temperature_c": value},
            circuit=circuit,
        )
        for circuit, value in (("", 30.0), ("0", 35.5), ("1", 28.5))
    ]
    store.write(rows)
    assert store.latest(1, ["supply_temperature_c", "supply_temperature_c.1"], 0) == {
        "supply_temperature_c": Sample(at=MIDNIGHT, value=30),
        "supply_temperature_c.1": Sample(at=MIDNIGHT, value=28.5),
    }
    assert [row.circuit for row in store.rows(1, "heat_pump", 0, MIDNIGHT + 1)] == [""]
    assert [row.circuit for row in store.rows(1, "heat_pump", 0, MIDNIGHT + 1, circuit="1")] == ["1"]
    assert [row.circuit for row in store.rows(1, "heat_pump", 0, MIDNIGHT + 1, circuit=None)] == [
        "",
        "0",
        "1",
    ]


def test_the_latest_value_is_the_newest_known_one_and_none_if_it_is_too_old(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, [10, 20, None]))
    assert store.latest(1, ["power_w"], MIDNIGHT) == {"power_w": Sample(at=MIDNIGHT + 10, value=20)}
    assert store.latest(1, ["power_w"], MIDNIGHT + 11) == {"power_w": None}


def test_the_latest_value_before_a_time_leaves_out_what_a_wrong_clock_dated_later(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, [10, 20]))
    store.write(power_rows(MIDNIGHT + 86_400, [99]))
    assert store.latest(1, ["power_w"], 0, MIDNIGHT + 11) == {"power_w": Sample(at=MIDNIGHT + 10, value=20)}
    assert store.latest(1, ["power_w"], 0, MIDNIGHT + 10) == {"power_w": Sample(at=MIDNIGHT, value=10)}
    assert store.latest(1, ["power_w"], 0, MIDNIGHT) == {"power_w": None}


def test_rows_come_in_order_with_the_wanted_fields_only(store: Store) -> None:
    store.write([power_row(MIDNIGHT + 20, 3), power_row(MIDNIGHT, 1), power_row(MIDNIGHT + 10, 2)])
    found = list(store.rows(1, "meter", MIDNIGHT, MIDNIGHT + 20, ["power_w", "power_a_w"]))
    assert [(row.at, dict(row.values)) for row in found] == [
        (MIDNIGHT, {"power_w": 1, "power_a_w": None}),
        (MIDNIGHT + 10, {"power_w": 2, "power_a_w": None}),
    ]
    assert list(store.rows(1, "meter", MIDNIGHT, MIDNIGHT + 20, ["power_a_w"])) == []


def test_rows_beyond_one_portion_all_come_once(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, range(10_001)))
    found = [row.values["power_w"] for row in store.rows(1, "meter", 0, MIDNIGHT + 2 * DAY)]
    assert found == list(range(10_001))


def test_deleted_rows_are_gone_from_every_step(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, [10] * (3 * 288), step_s=300))
    store.delete(1, "meter", MIDNIGHT + 3600, MIDNIGHT + DAY)
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 3 * DAY, DAY).count == [12, 288, 288]
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 7200, 3600).count == [12, 0]
    assert store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT + 3 * DAY])["power_w"][0].sum == 5880


def test_only_the_named_device_is_deleted(store: Store) -> None:
    store.write([power_row(MIDNIGHT, 1, device="OLD"), power_row(MIDNIGHT, 2, device="NEW")])
    store.delete(1, "meter", 0, MIDNIGHT + DAY, device="OLD")
    assert [row.device for row in store.rows(1, "meter", 0, MIDNIGHT + DAY)] == ["NEW"]


def test_a_replaced_stretch_holds_exactly_the_given_rows(store: Store) -> None:
    both = {"power_w": 10.0, "power_a_w": 4.0}
    old = [
        Row(site=1, measurement="meter", device=METER, at=MIDNIGHT + 10 * n, values=both) for n in range(5)
    ]
    store.write(old)
    store.replace(1, "meter", METER, MIDNIGHT + 10, MIDNIGHT + 40, [power_row(MIDNIGHT + 20, 7)])
    found = store.rows(1, "meter", 0, MIDNIGHT + DAY, ["power_w", "power_a_w"])
    assert [(row.at - MIDNIGHT, dict(row.values)) for row in found] == [
        (0, both),
        (20, {"power_w": 7, "power_a_w": None}),
        (40, both),
    ]


def test_a_replaced_stretch_counts_anew_in_every_step(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, [10] * (3 * 288), step_s=300))
    assert store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT + DAY])["power_w"][0].sum == 2880
    fewer = power_rows(MIDNIGHT + 3600, [20] * 6, step_s=600)
    store.replace(1, "meter", METER, MIDNIGHT + 3600, MIDNIGHT + 7200, fewer)
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 10_800, 3600).count == [12, 6, 12]
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 3 * DAY, DAY).sum == [2880, 2880, 2880]
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 3 * DAY, DAY).count == [282, 288, 288]
    assert store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT + DAY])["power_w"][0].max == 20


def test_replacing_by_nothing_deletes_and_replacing_nothing_writes(store: Store) -> None:
    store.replace(1, "meter", METER, 0, MIDNIGHT + DAY, [power_row(MIDNIGHT, 5)])
    assert store.latest(1, ["power_w"], 0) == {"power_w": Sample(at=MIDNIGHT, value=5)}
    store.replace(1, "meter", METER, 0, MIDNIGHT + DAY, [])
    assert store.extent(1, "meter") is None
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + DAY, DAY).count == [0]


def test_replacing_ends_in_the_same_content_however_often(store: Store) -> None:
    rows = power_rows(MIDNIGHT, [10, 20, 30])
    for _ in range(2):
        store.replace(1, "meter", METER, MIDNIGHT, MIDNIGHT + DAY, rows)
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + DAY, DAY).sum == [60]


def test_replacing_leaves_other_devices_sites_and_measurements_alone(store: Store) -> None:
    others = [power_row(MIDNIGHT, 2, device="NEW"), power_row(MIDNIGHT, 3, site=2), outside_row(MIDNIGHT, 4)]
    store.write([power_row(MIDNIGHT, 1), *others])
    store.replace(1, "meter", METER, MIDNIGHT, MIDNIGHT + DAY, [])
    kept = [
        (row.measurement, row.device)
        for site, name in ((1, "meter"), (2, "meter"), (1, "heat_pump"))
        for row in store.rows(site, name, MIDNIGHT, MIDNIGHT + 1)
    ]
    assert kept == [("meter", "NEW"), ("meter", METER), ("heat_pump", "7571")]


def test_replacing_covers_all_circuits(store: Store) -> None:
    store.write([outside_row(MIDNIGHT, 1), outside_row(MIDNIGHT, 2, circuit="0")])
    store.replace(1, "heat_pump", "7571", MIDNIGHT, MIDNIGHT + 300, [outside_row(MIDNIGHT, 3, circuit="1")])
    found = store.rows(1, "heat_pump", MIDNIGHT, MIDNIGHT + 300, ["outside_temperature_c"], circuit=None)
    assert [(row.circuit, row.values["outside_temperature_c"]) for row in found] == [("1", 3)]


@pytest.mark.parametrize(
    "row",
    [
        power_row(MIDNIGHT - 10, 9),
        power_row(MIDNIGHT + 60, 9),
        power_row(MIDNIGHT, 9, device="NEW"),
        power_row(MIDNIGHT, 9, site=2),
        outside_row(MIDNIGHT, 9),
    ],
    ids=["before", "after", "other device", "other site", "other measurement"],
)
def test_a_row_that_does_not_belong_into_the_stretch_changes_nothing(store: Store, row: Row) -> None:
    store.write(power_rows(MIDNIGHT, [1, 2]))
    with pytest.raises(ValueError, match="does not belong to|outside of"):
        store.replace(1, "meter", METER, MIDNIGHT, MIDNIGHT + 60, [power_row(MIDNIGHT, 5), row])
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 60, 60).sum == [3]


def test_local_days_of_23_24_and_25_hours_sum_exactly(store: Store) -> None:
    start = instant(2026, 3, 1, zone="UTC")
    store.write([outside_row(start + 300 * index, 1.0) for index in range(288 * 40)])
    days = [instant(2026, 3, day, zone="Europe/Berlin") for day in (28, 29, 30, 31)]
    found = store.sums(1, ["outside_temperature_c"], days)["outside_temperature_c"]
    assert [aggregate.count for aggregate in found] == [288, 276, 288]
    assert [aggregate.mean for aggregate in found] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("zone", "counts"),
    [
        ("Asia/Kathmandu", [288, 288]),  # UTC+05:45
        ("Australia/Lord_Howe", [288, 294]),  # clocks move by half an hour on 5 April
        ("America/Santiago", [288, 300]),  # 5 April begins before midnight comes twice
    ],
)
def test_days_of_odd_zones_sum_exactly(store: Store, zone: str, counts: list[int]) -> None:
    start = instant(2026, 4, 1, zone="UTC")
    store.write([outside_row(start + 300 * index, 0.1) for index in range(288 * 10)])
    first = 4 if zone != "America/Santiago" else 3
    days = [instant(2026, 4, first + day, zone=zone) for day in range(3)]
    found = store.sums(1, ["outside_temperature_c"], days)["outside_temperature_c"]
    assert [aggregate.count for aggregate in found] == counts
    assert [aggregate.sum for aggregate in found] == [count / 10 for count in counts]


def test_sums_of_several_series_come_together(store: Store) -> None:
    values = {"electrical_energy_wh": 125.5, "full_s": 300.0, "compressor_starts": 1.0}
    store.write(
        [
            Row(site=1, measurement="interval", device="", at=MIDNIGHT + 300 * index, values=values)
            for index in range(4 * 288)
        ]
    )
    store.write([outside_row(MIDNIGHT, -7.5)])
    found = store.sums(
        1,
        ["electrical_energy_wh", "full_s", "outside_temperature_c"],
        [MIDNIGHT, MIDNIGHT + DAY, MIDNIGHT + 2 * DAY],
    )
    assert [aggregate.sum for aggregate in found["electrical_energy_wh"]] == [36_144, 36_144]
    assert [aggregate.sum for aggregate in found["full_s"]] == [86_400, 86_400]
    assert found["outside_temperature_c"] == [Aggregate(count=1, sum=-7.5, min=-7.5, max=-7.5), Aggregate()]


def test_sums_asked_again_follow_late_rows_erased_values_and_deletes(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, [10] * 1000, step_s=300))

    def first_day() -> Aggregate:
        return store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT + DAY])["power_w"][0]

    assert first_day().sum == 2880
    assert first_day().sum == 2880
    store.write([power_row(MIDNIGHT + 10, 100)])
    assert first_day().sum == 2980
    store.write([power_row(MIDNIGHT + 20, 7, device="NEW")])
    assert first_day().sum == 2987
    store.write([power_row(MIDNIGHT + 10, None)])
    assert first_day().sum == 2887
    store.delete(1, "meter", MIDNIGHT, MIDNIGHT + 3600)
    assert first_day() == Aggregate(count=276, sum=2760, min=10, max=10)


@pytest.mark.parametrize("name", ["power", "", "power_w.1", "supply_temperature"])
def test_an_unknown_series_is_refused_with_the_names_there_are(store: Store, name: str) -> None:
    with pytest.raises(UnknownSeries) as caught:
        store.series(1, name, 0, 10, 10)
    assert "power_w" in caught.value.names


def test_a_write_with_an_unknown_field_keeps_nothing(store: Store) -> None:
    wrong = Row(site=1, measurement="meter", device=METER, at=MIDNIGHT, values={"watts": 1})
    with pytest.raises(UnknownSeries):
        store.write([power_row(MIDNIGHT, 1), wrong])
    assert store.extent(1, "meter") is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_a_value_that_is_no_number_is_refused(store: Store, value: float) -> None:
    with pytest.raises(ValueError, match="power_w cannot be"):
        store.write([power_row(MIDNIGHT, value)])


@pytest.mark.parametrize("at", [-1, int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())])
def test_a_time_outside_of_the_calendar_is_refused(store: Store, at: int) -> None:
    with pytest.raises(ValueError, match="outside of 1970 to 2100"):
        store.write([power_row(at, 1)])


def test_boundaries_that_fall_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="boundaries must rise"):
        store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT - 300])


def test_values_are_kept_to_the_schemas_resolution(store: Store) -> None:
    store.write([power_row(MIDNIGHT, 12.34), power_row(MIDNIGHT + 10, 0.04), power_row(MIDNIGHT + 20, -0.16)])
    read = [row.values["power_w"] for row in store.rows(1, "meter", 0, MIDNIGHT + DAY, ["power_w"])]
    assert read == [12.3, 0.0, -0.2]
    assert store.latest(1, ["power_w"], MIDNIGHT)["power_w"] == Sample(at=MIDNIGHT + 20, value=-0.2)
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 30, 30).sum == [12.1]
    assert store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT + 300])["power_w"] == [
        Aggregate(count=3, sum=12.1, min=-0.2, max=12.3)
    ]


def test_a_sum_is_the_same_to_the_bit_in_any_order(store: Store) -> None:
    store.write([outside_row(MIDNIGHT + 300 * index, 0.1) for index in reversed(range(3 * 288))])
    days = [MIDNIGHT, MIDNIGHT + DAY, MIDNIGHT + 3 * DAY]
    sums = store.sums(1, ["outside_temperature_c"], days)["outside_temperature_c"]
    assert [aggregate.sum for aggregate in sums] == [28.8, 57.6]


def test_equal_boundaries_have_nothing_between_them(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, [5] * 30))
    edges = [MIDNIGHT, MIDNIGHT, MIDNIGHT + 300, MIDNIGHT + 300]
    found = store.sums(1, ["power_w"], edges)["power_w"]
    assert [aggregate.count for aggregate in found] == [0, 30, 0]


def test_the_rows_of_one_device_can_all_be_given_to_another(store: Store) -> None:
    store.write([power_row(MIDNIGHT + 10 * index, 5, device="IMPORTED") for index in range(3 * 8640)])
    store.write([power_row(MIDNIGHT, 1, site=2, device="IMPORTED")])
    before = store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT + 3 * DAY])
    store.rename_device(1, "IMPORTED", METER)
    assert {row.device for row in store.rows(1, "meter", MIDNIGHT, MIDNIGHT + 3 * DAY)} == {METER}
    assert store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT + 3 * DAY]) == before
    assert store.extent(1, "meter", METER) == (MIDNIGHT, MIDNIGHT + 3 * DAY - 10)
    assert store.extent(1, "meter", "IMPORTED") is None
    assert [row.device for row in store.rows(2, "meter", MIDNIGHT, MIDNIGHT + 1)] == ["IMPORTED"]


def test_where_both_devices_have_a_row_that_of_the_other_stays(store: Store) -> None:
    store.write([power_row(MIDNIGHT + 10 * index, 5, device="IMPORTED") for index in range(3 * 8640)])
    store.write([power_row(MIDNIGHT + DAY, 7), power_row(MIDNIGHT + 4 * DAY, 9)])
    for _ in range(2):
        store.rename_device(1, "IMPORTED", METER)
        store.write([power_row(MIDNIGHT - 10, 3, device="IMPORTED")])
    rows = list(store.rows(1, "meter", MIDNIGHT - 10, MIDNIGHT + 5 * DAY, ["power_w"]))
    assert sorted(
        (row.device, row.at, row.values["power_w"]) for row in rows if row.values["power_w"] != 5
    ) == [
        (METER, MIDNIGHT - 10, 3),
        (METER, MIDNIGHT + DAY, 7),
        (METER, MIDNIGHT + 4 * DAY, 9),
        ("IMPORTED", MIDNIGHT - 10, 3),
    ]
    assert len(rows) == 3 * 8640 + 3
    (total,) = store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT + 5 * DAY])["power_w"]
    assert (total.count, total.sum) == (3 * 8640 + 1, 5 * (3 * 8640 - 1) + 7 + 9)
