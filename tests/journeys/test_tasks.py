"""Twenty everyday questions, each answered from the overview within three clicks: docs/tasks.md.

What counts is what a hand does: a click, a text typed, a date or an option chosen. The answer itself has to
be in sight, not just its address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from django.test import override_settings
from playwright.sync_api import Browser, Locator, Page, expect

from apps.changelog.models import Entry
from apps.effects.models import AlternatingTest

from .conftest import ROOT, wait_until_drawn, watched_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST_CLICKS = 3
TABLE = (ROOT / "docs/tasks.md").read_text(encoding="utf-8")
DOCUMENTED = {
    name: int(clicks) for name, clicks in re.findall(r"^\| (.+?) +\| (\d) +\|", TABLE, re.MULTILINE)
}


class Hand:
    """Does what a person does on a page, and counts it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def link(self, name: str | re.Pattern[str]) -> None:
        self.click(self.page.get_by_role("link", name=name, exact=True).first)

    def button(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def type(self, label: str, text: str) -> None:
        self.page.get_by_label(label).fill(text)
        self.clicks += 1

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_role("combobox", name=label).select_option(option)
        self.clicks += 1

    def sees(self, *texts: str | re.Pattern[str], within: str = "main") -> None:
        """Check that each text is there to be read, somewhere in one element."""
        for text in texts:
            expect(self.page.locator(within).get_by_text(text).locator("visible=true").first).to_be_visible()


Task = Callable[[Hand], None]
TASKS: dict[str, Task] = {}


def task(question: str) -> Callable[[Task], Task]:
    def keep(answer: Task) -> Task:
        TASKS[question] = answer
        return answer

    return keep


@task("What was the COP last week?")
def cop_of_last_week(hand: Hand) -> None:
    hand.link("Energy")
    hand.link("Last week")
    hand.sees("16 Nov – 22 Nov 2026", re.compile(r"^COP 4\.\d\d"))


@task("What was the JAZ of the last heating season?")
def jaz_of_last_season(hand: Hand) -> None:
    hand.link("Efficiency")
    hand.link("Last heating season")
    hand.sees(re.compile(r"^1 Oct 2025 – 30 Apr 2026"), re.compile(r"^COP over 212 days"))
    expect(hand.page.locator("#jaz + .effect__num")).to_have_text(re.compile(r"4\.\d"))


@task("When was hot water heated last, and how warm did it get?")
def last_hot_water(hand: Hand) -> None:
    hand.link("Hot water")
    hand.sees("Last heated 08:30 to 09:00", re.compile(r"47\.5 → 47\.4"))


@task("How much electricity went in yesterday?")
def electricity_of_yesterday(hand: Hand) -> None:
    hand.link("Yesterday until 13:20")
    hand.sees("Sun 22 Nov 2026", re.compile(r"19\.7\skWh electricity"))


@task("How often did the compressor start yesterday?")
def starts_of_yesterday(hand: Hand) -> None:
    hand.link("Yesterday until 13:20")
    hand.sees(re.compile(r"16 starts, mean run time 30 min"))


@task("How did last month compare with the same month a year earlier?")
def last_month(hand: Hand) -> None:
    hand.link("Energy")
    hand.link("Last month")
    hand.sees(re.compile(r"compared with October 2025"))


@task("And at equal weather?")
def last_month_at_equal_weather(hand: Hand) -> None:
    hand.link("Energy")
    hand.link("Last month")
    hand.link("Compare at equal weather")
    hand.sees("1 Oct 2025 – 31 Oct 2025 and 1 Oct 2026 – 31 Oct 2026", "At equal weather")
    hand.sees(re.compile(r"difference not provable|electricity a day|% (less|more)"))


@task("Which day used most this month, and what happened on it?")
def highest_day(hand: Hand) -> None:
    hand.link("Energy")
    hand.link(re.compile(r"^on .+, the highest day$"))
    wait_until_drawn(hand.page, charts=3)
    hand.sees(re.compile(r"^\w{3} \d+ Nov 2026$"), "In this window")


@task("What was changed lately, and did it help?")
def did_it_help(hand: Hand) -> None:
    hand.sees("Hot water: hysteresis 5 → 7 K")
    hand.link("Hot water: hysteresis 5 → 7 K")
    hand.sees(re.compile(r"too early: come back on"))


@task("When was the heating curve changed, and did it help?")
def change_of_the_curve(hand: Hand) -> None:
    hand.link("Changes")
    hand.link("Heating circuit 1")
    hand.sees("Heating curve, circuit 1: slope 0.8 → 0.6", re.compile(r"more heat per kWh"))


@task("Write a note.")
def write_a_note(hand: Hand) -> None:
    hand.link("Changes")
    hand.type("What happened?", "Bled the radiators")
    hand.button("Save note")
    hand.sees("Bled the radiators")
    Entry.objects.get(text="Bled the radiators").delete()


@task("Why is there a gap in last night's heat?")
def why_a_gap(hand: Hand) -> None:
    hand.link("History")
    hand.sees("Gaps in this window", "23 Nov, 02:25–03:25", "no values from the heat pump", "heat is missing")


@task("What did the heat pump cost this year so far, and what will it have cost at the end?")
def cost_of_the_year(hand: Hand) -> None:
    hand.link("Energy")
    hand.link("Months")
    hand.sees("2026", re.compile(r"^€1,\d{3}\.\d\d"), re.compile(r"about €1,\d{3}"))


@task("Is the consumption normal?")
def is_it_normal(hand: Hand) -> None:
    hand.link("Energy")
    hand.link("Is it normal?")
    hand.sees("Measured and expected", re.compile("as expected|than expected"))


@task("How does today compare with an equally cold day?")
def equally_cold_day(hand: Hand) -> None:
    hand.sees(re.compile(r"^As cold: \d+ Nov until 13:20$"), re.compile(r"at 3\.1\s°C"))


@task("What was the power in the last two hours?")
def power_of_two_hours(hand: Hand) -> None:
    hand.link("History")
    hand.link("Last 2 hours")
    wait_until_drawn(hand.page, charts=3)
    hand.sees(re.compile(r"Power every 10 s"), "23 Nov, 11:20 – 23 Nov, 13:20")


@task("Print the report for the installer.")
def print_the_report(hand: Hand) -> None:
    hand.page.add_init_script("window.print = () => { window.printed = true; };")
    hand.link("Efficiency")
    hand.link("Report for the installer")
    hand.button("Print or save as PDF")
    assert hand.page.evaluate("window.printed") is True
    hand.sees(re.compile("Seasonal COP"))


@task("Take the values of a chart into a spreadsheet.")
def export_a_chart(hand: Hand) -> None:
    with hand.page.expect_download() as started:
        hand.link("Download CSV")
    lines = started.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("time,") and len(lines) > 100


@task("Plan an alternating test.")
def plan_a_test(hand: Hand) -> None:
    hand.link("Hot water: hysteresis 5 → 7 K")
    hand.link("Plan this test")
    hand.sees("Tested against", re.compile("shows effects from"))
    hand.sees(re.compile("This change is being judged until 4 Dec 2026"))
    hand.button("Start on 5 Dec 2026")
    hand.sees("Alternating test", "How it stands")
    AlternatingTest.objects.all().delete()


@task("Do both devices answer, and how many calls to the cloud are left?")
def sources_and_calls(hand: Hand) -> None:
    hand.sees(re.compile(r"meter 8 s ago · heat pump"))
    hand.link("System")
    hand.sees(re.compile("left"), re.compile("Meter"))


@task("Make it dark.")
def switch_the_theme(hand: Hand) -> None:
    hand.button("Light or dark")
    expect(hand.page.locator("html")).to_have_attribute("data-theme", "dark")


@task("Switch the pages to German.")
def switch_the_language(hand: Hand) -> None:
    hand.link("Settings")
    hand.choose("Language", "de")
    hand.click(hand.page.get_by_role("form", name="Language").get_by_role("button", name="Save"))
    expect(hand.page.locator("html")).to_have_attribute("lang", "de")


@pytest.fixture(scope="module")
def home_address(lived_in: str) -> Iterator[str]:
    with override_settings(DEMO=True):
        yield lived_in


def test_the_document_lists_the_questions_that_are_tried() -> None:
    assert list(DOCUMENTED) == list(TASKS)
    assert len(TASKS) >= 20


@pytest.mark.parametrize("question", TASKS)
def test_an_everyday_question_is_answered_within_three_clicks(
    chromium: Browser, home_address: str, question: str
) -> None:
    with watched_page(chromium, home_address, "/") as page:
        hand = Hand(page)
        TASKS[question](hand)
        assert hand.clicks <= MOST_CLICKS
        assert hand.clicks == DOCUMENTED[question]
