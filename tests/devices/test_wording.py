"""Every failure that can be stored has words, in each reader's language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from apps.devices.errors import BudgetExhausted, Detail, DeviceBusy, DeviceUnreachable
from apps.devices.wording import (
    METER,
    WORDS,
    Words,
    log_line,
    offset_words,
    reported_words,
    words,
    words_of,
)

ROOT = Path(__file__).resolve().parents[2]
KINDS = {
    "DeviceUnreachable", "DeviceBusy", "DeviceRefused", "WrongDevice", "PayloadInvalid", "BudgetExhausted",
    "TokenRejected",
}  # fmt: skip
DEFAULT_CODE = {"PayloadInvalid": "unreadable", "BudgetExhausted": "budget"}
# Pure modules do not know the host; the client adds it.
ADDED_LATER = {"host"}
# Made of a detail in another form.
MADE_OF = {"offset": "offset_s", "faults": "reported", "ends": "ends_at"}
AN_EXAMPLE: dict[str, Detail] = {
    "offset_s": 75,
    "reported": ["no_load"],
    "ends_at": "2026-12-01T08:00:00+00:00",
}
BERLIN = ZoneInfo("Europe/Berlin")


class Raised(NamedTuple):
    """One place in the code that makes an error; ``code`` is None where it is a variable."""

    place: str
    code: str | None
    details: frozenset[str]


def raised() -> Iterator[Raised]:
    for folder in ("apps", "heatmon"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KINDS:
                    yield from _made(f"{path.relative_to(ROOT)}:{node.lineno}", node)


def _made(place: str, node: ast.Call) -> Iterator[Raised]:
    details = {keyword.arg or "**" for keyword in node.keywords}
    if "path" in details:
        details.add("detail")
    for code in _codes(node):
        yield Raised(place, code, frozenset(details))


def _codes(node: ast.Call) -> list[str | None]:
    if not node.args:
        return [DEFAULT_CODE[getattr(node.func, "id", "")]]
    first = node.args[0]
    choices = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
    return [one.value if isinstance(one, ast.Constant) else None for one in choices]


def places(code: str) -> set[str]:
    found = {name for text in WORDS[code] for name in re.findall(r"%\((\w+)\)s", str(text))}
    return {MADE_OF.get(name, name) for name in found}


def test_every_code_that_can_be_raised_has_words_and_their_details() -> None:
    wrong = [
        one
        for one in raised()
        if one.code is not None
        and (one.code not in WORDS or not places(one.code) <= one.details | ADDED_LATER | {"code"})
    ]
    assert wrong == []


def test_there_are_no_words_for_what_is_never_raised() -> None:
    sources = [
        path.read_text(encoding="utf-8")
        for folder in ("apps", "heatmon")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "wording.py"
    ]
    assert [code for code in WORDS if not any(f'"{code}"' in source for source in sources)] == []


@pytest.mark.parametrize("code", sorted(WORDS))
def test_each_failure_is_one_sentence_and_what_to_do(code: str) -> None:
    details: dict[str, Detail] = {name: AN_EXAMPLE.get(name, "x") for name in places(code)}
    with translation.override("en"):
        said = words(code, details)
    assert said.sentence
    assert "%" not in str(said)
    if code in METER and said.hint:
        assert said.sentence.endswith(".")
        assert said.hint.endswith(".")


def test_two_readers_are_told_the_same_stored_failure_each_in_their_language() -> None:
    code, details = "unreachable", {"host": "192.168.1.50"}
    with translation.override("en"):
        assert words(code, details) == Words(
            sentence="The meter at 192.168.1.50 is not responding.",
            hint="Check that the meter has power and a network connection and that the address is right.",
        )
    with translation.override("de"):
        assert words(code, details).sentence == "Der Zähler unter 192.168.1.50 antwortet nicht."


def test_the_next_try_is_told_in_the_time_of_the_house() -> None:
    error = BudgetExhausted(retry_at=datetime(2026, 1, 12, 23, 30, tzinfo=UTC), used=1305, stops_at=1305)
    said = words_of(error, BERLIN)
    assert said.sentence == "The cloud request quota is used up (1305 of 1305)."
    assert said.hint.endswith("Next attempt: 13 Jan 2026, 00:30.")


def test_a_failure_without_a_known_end_names_no_time() -> None:
    assert "Next try" not in words_of(DeviceBusy("busy", host="192.168.1.50")).hint


def test_no_failure_has_no_words() -> None:
    assert words("", {}) == Words(sentence="", hint="")


def test_a_code_or_detail_of_another_version_still_makes_a_sentence() -> None:
    assert words("of_tomorrow", {}).sentence == "Something went wrong (of_tomorrow)."
    assert words("unreachable", {}).sentence == "The meter at – is not responding."


def test_the_log_is_english_whoever_reads_the_page() -> None:
    with translation.override("de"):
        line = log_line(DeviceUnreachable("timeout", host="192.168.1.50"))
    assert line.startswith("The meter at 192.168.1.50 did not respond in time. Check")


def test_an_error_names_itself_by_code_and_details() -> None:
    assert str(DeviceUnreachable("timeout", host="192.168.1.50")) == "timeout (host=192.168.1.50)"


@pytest.mark.parametrize(
    ("offset_s", "said"),
    [
        (75.0, "75 s ahead"),
        (-75.0, "75 s behind"),
        (3600.0, "60 min ahead"),
        (-86_400.0, "24 h behind"),
        (-86_400.0 * 30, "30 days behind"),
    ],
)
def test_a_wrong_clock_is_told_by_how_much(offset_s: float, said: str) -> None:
    with translation.override("en"):
        assert offset_words(offset_s) == said
        assert words("clock_wrong", {"host": "meter.test", "offset_s": offset_s}).sentence == (
            f"The clock of the meter at meter.test is {said}."
        )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("power_meter_failure", "failure of its measuring unit"),
        ("b:out_of_range:voltage", "phase B: voltage out of range"),
        ("n:out_of_range:current", "neutral conductor: current out of range"),
        ("missing:emdata:0", "no data from emdata:0"),
        ("a:unreadable:a_act_power", "phase A: a_act_power cannot be read"),
        ("a_fault_of_tomorrow", "a_fault_of_tomorrow"),
    ],
)
def test_faults_that_the_meter_reports_have_words_and_unknown_ones_are_told_as_they_are(
    fault: str, said: str
) -> None:
    with translation.override("en"):
        assert reported_words(fault) == said
