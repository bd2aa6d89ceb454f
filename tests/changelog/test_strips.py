from __future__ import annotations

from django.utils import translation

from apps.changelog.strips import DayStrip, draw_change, draw_week

from .factories import block, week


def bars(strip: DayStrip) -> list[tuple[str, str, str]]:
    return [(bar.kind, bar.x, bar.width) for bar in strip.bars]


def test_equal_days_share_a_strip() -> None:
    drawing = draw_week("dhw.schedule", week(block("06:00", "22:00", "top"), sat=[], sun=[]))
    assert [strip.label for strip in drawing.strips] == ["Mon–Fri", "Sat, Sun"]
    assert bars(drawing.strips[0]) == [("same", "72", "192")]
    assert bars(drawing.strips[1]) == []
    assert drawing.description == "Mon–Fri: 06:00–22:00 top. Sat, Sun: off"


def test_a_warmer_mode_has_a_higher_bar() -> None:
    day = [
        block("00:00", "06:00", "reduced"),
        block("06:00", "22:00", "normal"),
        block("22:00", "24:00", "on"),
    ]
    drawn = draw_week("circuits.1.schedule", {"mon": day}).strips[0].bars
    assert [(bar.x, bar.width, bar.height, bar.title) for bar in drawn] == [
        ("0", "72", "6", "00:00–06:00 reduced"),
        ("72", "192", "10", "06:00–22:00 normal"),
        ("264", "24", "14", "22:00–24:00 on"),
    ]


def test_a_change_between_modes_shows_them_at_two_heights_with_a_legend() -> None:
    before = {"mon": [block("00:00", "06:00", "reduced"), block("06:00", "24:00", "normal")]}
    after = {"mon": [block("00:00", "05:00", "reduced"), block("05:00", "24:00", "normal")]}
    drawing = draw_change("circuits.1.schedule", before, after)
    drawn = [(bar.kind, bar.x, bar.height) for bar in drawing.strips[0].bars]
    assert drawn == [("same", "0", "6"), ("add", "60", "10"), ("same", "72", "10")]
    assert [(mode.label, mode.y, mode.height) for mode in drawing.modes] == [
        ("reduced", "11", "6"),
        ("normal", "7", "10"),
    ]


def test_one_mode_alone_has_full_bars_and_no_legend() -> None:
    drawing = draw_week("circulation.schedule", {"mon": [block("06:00", "08:00", "5/25-cycles")]})
    assert [bar.height for bar in drawing.strips[0].bars] == ["14"]
    assert drawing.modes == ()


def test_where_entries_overlap_the_first_is_in_force() -> None:
    day = [block("06:00", "10:00", "top"), block("08:00", "12:00", "normal")]
    drawn = draw_week("dhw.schedule", {"mon": day}).strips[0].bars
    assert [bar.title for bar in drawn] == ["06:00–10:00 top", "10:00–12:00 normal"]


def test_a_change_shows_what_stays_and_what_was_added_and_removed() -> None:
    before = week(block("06:00", "10:00"), block("16:00", "22:00"))
    after = week(block("07:00", "12:00"), sun=[block("06:00", "10:00"), block("16:00", "22:00")])
    drawing = draw_change("dhw.schedule", before, after)
    assert [strip.label for strip in drawing.strips] == ["Mon–Sat", "Sunday"]
    assert bars(drawing.strips[0]) == [
        ("cut", "72", "12"),
        ("same", "84", "36"),
        ("add", "120", "24"),
        ("cut", "192", "72"),
    ]
    assert {bar.kind for bar in drawing.strips[1].bars} == {"same"}
    assert [row.changed for row in drawing.rows] == [True] * 6 + [False]


def test_another_mode_at_the_same_time_is_added() -> None:
    drawing = draw_change(
        "dhw.schedule",
        {"mon": [block("06:00", "10:00", "normal")]},
        {"mon": [block("06:00", "10:00", "top")]},
    )
    assert bars(drawing.strips[0]) == [("add", "72", "48")]


def test_a_weekday_unknown_on_one_side_is_not_drawn() -> None:
    drawing = draw_change("dhw.schedule", {"mon": []}, {"mon": [block("06:00", "10:00")], "tue": []})
    assert [strip.label for strip in drawing.strips] == ["Monday"]


def test_positions_are_plain_numbers_in_every_language() -> None:
    with translation.override("de"):
        bar = draw_week("dhw.schedule", {"mon": [block("06:02", "22:00")]}).strips[0].bars[0]
    assert bar.x == "72.4"
