"""The German texts are complete: in the catalogue, as compiled, and on the pages."""

from __future__ import annotations

import gettext
import html
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.contrib.auth.models import User
from django.core.cache import cache as django_cache
from django.test import Client
from django.utils import translation

from apps.changelog.models import Entry, SettingChange
from apps.devices import clock as accounts_clock
from apps.devices.models import Site
from apps.devices.options import default_site
from apps.metrics.store.sqlite import SqliteStore

from .dashboard.conftest import now, reader, store
from .dashboard.house import fill, set_up

__all__ = ["now", "reader", "store"]

ROOT = Path(settings.BASE_DIR)
MESSAGES = ROOT / "locale" / "de" / "LC_MESSAGES"
Key = tuple[str, str]


class Text:
    """One entry of a catalogue file: flags, context, source texts (singular, plural) and German texts."""

    def __init__(self, block: str) -> None:
        self.flags = re.findall(r"[\w-]+", " ".join(re.findall(r"^#,(.*)$", block, re.MULTILINE)))
        self.obsolete = bool(re.search(r"^#~", block, re.MULTILINE))
        parts: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            found = re.match(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?) "(.*)"$', line)
            if found:
                name, text = found.groups()
                parts[name] = _unquoted(text)
            elif name and line.startswith('"'):
                parts[name] += _unquoted(line[1:-1])
        self.context = parts.get("msgctxt", "")
        self.sources = [parts[name] for name in ("msgid", "msgid_plural") if name in parts]
        self.german = [text for name, text in sorted(parts.items()) if name.startswith("msgstr")]

    @property
    def key(self) -> Key:
        return self.context, self.sources[0] if self.sources else ""


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


def entries_of(path: Path) -> list[Text]:
    blocks = re.split(r"\n\s*\n", path.read_text(encoding="utf-8"))
    return [entry for block in blocks if (entry := Text(block)).obsolete or entry.key[1]]


@cache
def catalogue() -> list[Text]:
    return entries_of(MESSAGES / "django.po")


def test_every_entry_is_translated() -> None:
    assert len(catalogue()) > 500
    assert [entry.key for entry in catalogue() if not entry.german or not all(entry.german)] == []


def test_a_text_with_a_number_has_both_german_forms() -> None:
    assert [entry.key for entry in catalogue() if len(entry.german) != len(entry.sources)] == []


def test_no_entry_is_fuzzy_or_obsolete() -> None:
    assert [entry.key for entry in catalogue() if "fuzzy" in entry.flags] == []
    assert [entry for entry in catalogue() if entry.obsolete] == []


def _placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)[sd]|%%|%[sd]|\{\w*\}", text))


def _tags(text: str) -> list[str]:
    return sorted(re.findall(r"</?\w+", text))


def test_placeholders_and_markup_are_the_same_in_both_languages() -> None:
    differing = [
        entry.key
        for entry in catalogue()
        for source, german in zip(entry.sources, entry.german, strict=True)
        if _placeholders(source) != _placeholders(german) or _tags(source) != _tags(german)
    ]
    assert differing == []


def test_no_german_text_uses_english_quotation_marks_or_a_hyphen_for_a_dash() -> None:
    texts = [(entry.key, re.sub(r"<[^>]*>", "", text)) for entry in catalogue() for text in entry.german]
    assert [key for key, text in texts if '"' in text or " - " in text] == []
    unpaired = [entry.key for entry in catalogue() if any(t.count("„") != t.count("“") for t in entry.german)]
    assert unpaired == []


def test_the_compiled_catalogue_has_the_texts_of_the_source() -> None:
    with (MESSAGES / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    differing = []
    for entry in catalogue():
        for number, german in enumerate(entry.german):
            if len(entry.sources) == 2:
                count = 1 if number == 0 else 2
                singular, plural = entry.sources
                found = (
                    compiled.npgettext(entry.context, singular, plural, count)
                    if entry.context
                    else compiled.ngettext(singular, plural, count)
                )
            elif entry.context:
                found = compiled.pgettext(entry.context, entry.sources[0])
            else:
                found = compiled.gettext(entry.sources[0])
            if found != german:
                differing.append(entry.key)
    assert differing == []


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="xgettext (Debian's gettext) is not installed")
def test_the_catalogue_has_every_text_of_the_project_and_no_other(tmp_path: Path) -> None:
    """As ``make messages`` would collect them, in a copy of what has texts."""
    for name in ("apps", "heatmon", "templates", "manage.py"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    (tmp_path / "locale").mkdir()
    subprocess.run(
        [sys.executable, "manage.py", "makemessages", "-l", "de", "--no-location", "--no-wrap"],
        cwd=tmp_path,
        env={**os.environ, "HEATMON_DATA_DIR": str(tmp_path / "data"), "PYTHONWARNINGS": "default"},
        check=True,
        capture_output=True,
        timeout=120,
    )
    collected = {entry.key for entry in entries_of(tmp_path / "locale/de/LC_MESSAGES/django.po")}
    ours = {entry.key for entry in catalogue()}
    assert collected - ours == set(), "run make messages and translate these"
    assert ours - collected == set(), "run make messages: nobody uses these"


def test_no_text_to_translate_hides_in_an_f_string() -> None:
    """xgettext does not look into the braces of an f-string."""
    hidden = re.compile(r"""\bf(["']).*\{(?:_|p?n?gettext)\(["'](?P<text>[^"']+)["']""")
    known = {key[1] for key in (entry.key for entry in catalogue())}
    found = [
        f"{path.name}: {match['text']}"
        for folder in ("apps", "heatmon")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for match in hidden.finditer(path.read_text(encoding="utf-8"))
        if match["text"] not in known
    ]
    assert found == []


def test_scripts_bring_no_words_of_their_own() -> None:
    """What JavaScript shows comes from the page; there is no second catalogue."""
    for path in sorted((ROOT / "static" / "js").glob("*.js")):
        assert re.findall(r"\b(?:n?gettext|alert|confirm)\(", path.read_text(encoding="utf-8")) == []


# ---------- the pages ----------


@pytest.fixture
def german(
    reader: Client, store: SqliteStore, now: datetime, db: None, monkeypatch: pytest.MonkeyPatch
) -> Client:
    """A reader whose browser asks for German, and a house with three days behind it."""
    monkeypatch.setattr("apps.dashboard.pages.season._kept", {})
    site: Site = default_site()
    set_up(site)
    fill(store, site, now - timedelta(days=3), now)
    return Client(headers={"accept-language": "de-DE,de;q=0.9,en;q=0.5"})


def words_of(page: str) -> str:
    """What a reader sees or hears: text, labels and titles; code and forms' values are no words."""
    page = re.sub(r"<(script|style|code|pre|option)\b.*?</\1>", " ", page, flags=re.DOTALL)
    labels = re.findall(r'(?:aria-label|title|placeholder)="([^"]*)"', page)
    text = re.sub(r"<[^>]+>", " ", page)
    return " ".join(html.unescape(" ".join([text, *labels])).split())


def headings_of(page: str) -> list[str]:
    found = re.findall(r"<h[12]\b[^>]*>(.*?)</h[12]>", page, flags=re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split()) for text in found]


PAGES = {
    "/": ("Übersicht", "Heute", "Letzte 24 Stunden", "Letzte Änderungen"),
    "/history": ("Verlauf", "Reihen und Zeitraum", "Leistung, Temperaturen, Zustand"),
    "/energy": ("Energie", "Strom", "Kosten", "Wärme geschätzt", "Strom nach Tagen", "Kosten, aufsummiert"),
    "/efficiency": ("Effizienz", "Drei Wege zur selben Zahl", "Starts und Laufzeit"),
    "/changes": ("Änderungen", "Notiz hinzufügen", "Suchen", "Bisher"),
    "/changes/configuration": ("Alle Einstellungen",),
    "/changes/test": ("Wechseltest planen",),
    "/compare": ("Zwei Zeiträume im Vergleich",),
    "/normal": ("Ist das normal?",),
    "/hot-water": ("Warmwasser", "Jetzt"),
    "/report": ("Bericht für den Heizungsbauer",),
    "/health": (
        "System",
        "Zähler",
        "Wärmepumpe",
        "Abrufe der Viessmann-Cloud",
        "Aufgaben",
        "Daten, Speicherplatz und Sicherungen",
    ),
    "/settings": (
        "Einstellungen",
        "Haus",
        "Zähler",
        "Wärmepumpe",
        "Was gemessen wird",
        "Tarife",
        "Sprache und Farbschema",
    ),
    "/documentation": ("Dokumentation",),
}
ENGLISH = re.compile(
    r"\b(?:the|and|of|with|from|until|since|not|yet|no|is|are|were|day|days|week|month|year|ago|"
    r"estimated|measured|heat|power|energy|water|settings?|changes?|meter|pump|show|save|today|outdoor|"
    r"electricity|history|overview|efficiency|nothing|all|so far)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("address", PAGES)
def test_a_german_browser_gets_german_headings(german: Client, address: str) -> None:
    response = german.get(address)
    assert response.status_code == 200
    page = response.content.decode()
    assert '<html lang="de">' in page
    found = headings_of(page)
    assert [heading for heading in PAGES[address] if heading not in found] == []


@pytest.mark.parametrize("address", [address for address in PAGES if address != "/documentation"])
def test_a_german_page_has_no_english_word_left(german: Client, address: str) -> None:
    assert ENGLISH.findall(words_of(german.get(address).content.decode())) == []


def test_the_english_words_are_found_where_a_page_is_english(german: Client) -> None:
    page = Client(headers={"accept-language": "en"}).get("/health").content.decode()
    assert {"the", "no", "day", "not"} & {word.lower() for word in ENGLISH.findall(words_of(page))}


def test_german_numbers_and_times_are_written_as_germans_do(german: Client) -> None:
    page = words_of(german.get("/").content.decode())
    assert "Montag, 23.11.2026 14:05" in page
    assert "23.11.2026 14:05" in words_of(german.get("/health").content.decode())
    assert "30,0 °C" in page
    assert "So, 22. Nov." in words_of(german.get("/energy").content.decode())


def test_the_months_of_charts_and_cards_are_german(german: Client) -> None:
    assert "November bisher" in words_of(german.get("/").content.decode())


@pytest.mark.parametrize(
    ("address", "heading"), [("/login", "Anmelden"), ("/setup", "Konto anlegen")], ids=["login", "setup"]
)
def test_the_first_pages_are_german_too(
    db: None, tmp_path: Path, settings: LazySettings, now: datetime, address: str, heading: str
) -> None:
    django_cache.clear()
    settings.DEMO = False
    settings.HOME_DATA_DIR = settings.DATA_DIR = tmp_path
    if address == "/login":
        User.objects.create_superuser("anna", password="brine-and-copper-42")
    with accounts_clock.fixed(now):
        response = Client(headers={"accept-language": "de"}).get(address)
    page = response.content.decode()
    assert heading in headings_of(page)
    assert ENGLISH.findall(words_of(page)) == []


@pytest.mark.parametrize(
    ("step", "heading"),
    [
        ("language", "Welche Sprache und Zeitzone?"),
        ("meter", "Welcher Zähler misst die Wärmepumpe?"),
        ("heat-pump", "Welche Wärmepumpe?"),
        ("house", "Wo steht das Haus?"),
    ],
)
def test_each_step_of_the_setup_is_german(
    db: None, store: SqliteStore, now: datetime, step: str, heading: str
) -> None:
    browser = Client(headers={"accept-language": "de"})
    browser.force_login(User.objects.create_superuser("anna", password="brine-and-copper-42"))
    page = browser.get(f"/setup/{step}").content.decode()
    assert heading in headings_of(page)
    assert ENGLISH.findall(words_of(page)) == []


def test_a_change_is_told_in_german(german: Client) -> None:
    changed = Entry.objects.create(site=default_site(), kind="setting", at=datetime(2026, 11, 22, tzinfo=UTC))
    SettingChange.objects.create(
        entry=changed, key="circuits.1.target_temperature.comfort_c", before=22.0, after=21.0
    )
    page = german.get(f"/changes/{changed.pk}").content.decode()
    assert "Heizkreis 1: Wunschtemperatur Komfort 22 → 21 °C" in headings_of(page)
    assert ENGLISH.findall(words_of(page)) == []


def test_an_error_of_the_api_is_german_for_a_german_program(german: Client) -> None:
    answer = german.get("/api/energy?period=day&from=x&to=y")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].endswith("muss ein Datum wie 2026-03-29 sein.")


def test_a_plural_is_told_apart_in_german() -> None:
    with translation.override("de"):
        assert translation.ngettext("%(n)s day ago", "%(n)s days ago", 1) % {"n": 1} == "vor 1 Tag"
        assert translation.ngettext("%(n)s day ago", "%(n)s days ago", 3) % {"n": 3} == "vor 3 Tagen"
