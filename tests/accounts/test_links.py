"""Read-only links: made, opened, over, guessed at; what a visitor reads and what not."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.test.utils import override_script_prefix
from django.urls import resolve

from apps.accounts.links import create_link
from apps.accounts.models import AuditEntry, ReadOnlyLink
from apps.accounts.roles import VISITED
from apps.accounts.tokens import create_token
from apps.changelog import notes
from apps.changelog.models import Entry
from apps.changelog.observe import observe
from apps.devices import clock
from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.options import default_site
from apps.effects.models import Effect
from apps.metrics.models import DerivedState
from apps.metrics.store.sqlite import SqliteStore
from heatmon.masking import masked
from tests.dashboard.house import began, fill, set_up

from .conftest import NOW
from .test_access import OPEN, all_addresses

# What asks for no account, and what leads a visitor on.
FOR_ANYBODY = OPEN | {"/api/"}
READABLE = {
    "/",
    "/history",
    "/energy",
    "/hot-water",
    "/efficiency",
    "/report",
    "/compare",
    "/normal",
    "/documentation",
    "/documentation/1",
    "/changes",
    "/changes/1",
    "/changes/configuration",
    "/changes/test/1",
    "/api/status",
    "/api/history",
    "/api/energy",
    "/api/jaz",
    "/api/estimate",
    "/api/changelog",
    "/api/changelog/1/effect",
    "/api/configuration",
    "/api/compare",
    "/api/expected",
}


def address_of(owner: User, *, notes: bool = False, days: int = 30) -> str:
    _link, secret = create_link(
        "Installer", notes=notes, at=NOW, expires_at=NOW + timedelta(days=days), user=owner
    )
    return f"/v/{secret}"


@pytest.fixture
def visitor(owner: User) -> Client:
    client = Client()
    assert client.get(address_of(owner))["Location"] == "/"
    return client


def refusal_of(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")]


def test_a_link_made_on_the_settings_page_is_shown_once_and_opens_the_overview(signed_in: Client) -> None:
    page = signed_in.post("/settings", {"section": "links", "name": "Installer", "days": "7"})
    address = page.context["new_link"]["address"]
    assert address.startswith("http://testserver/v/hv_")
    assert page.content.decode().count(address) == 1
    assert address not in signed_in.get("/settings").content.decode()
    visitor = Client()
    answer = visitor.get(address.removeprefix("http://testserver"))
    assert (answer.status_code, answer["Location"], answer["Referrer-Policy"]) == (302, "/", "no-referrer")
    assert answer["Cache-Control"] == "no-store, private"
    shown = visitor.get("/").content.decode()
    assert "Read-only link by <b>anna</b>, until" in shown
    assert "1 Dec" in shown


@pytest.mark.parametrize("form", [{"name": ""}, {"days": "366"}, {"days": "0"}, {"days": "x"}])
def test_a_link_lasts_a_day_to_a_year_and_has_a_name(signed_in: Client, form: dict[str, str]) -> None:
    answer = signed_in.post("/settings", {"section": "links", "name": "Installer", "days": "365", **form})
    assert answer.status_code == 400
    assert not ReadOnlyLink.objects.exists()


def test_only_the_hash_of_its_secret_is_stored_and_it_has_256_bits(owner: User) -> None:
    secret = address_of(owner).removeprefix("/v/hv_")
    assert len(secret) == 43  # 32 bytes in base64
    stored = " ".join(str(value) for value in ReadOnlyLink.objects.values().get().values())
    assert secret not in stored


def test_a_log_line_has_no_address_of_a_link(owner: User) -> None:
    address = address_of(owner)
    for line in (f"GET {address} 302", f"next=%2Fv%2F{address[3:]}", f"/heat{address}?x=1", address[3:]):
        assert address[-20:] not in masked(line)
    assert masked("GET /v/cut-off-or-mistyped 404") == "GET /v/*** 404"


def test_the_cookie_of_a_visit_is_for_the_server_and_this_site_only_and_ends_with_the_link(
    owner: User, settings: LazySettings
) -> None:
    settings.SESSION_COOKIE_SECURE = True
    cookie = Client().get(address_of(owner, days=1), secure=True).cookies["heatmon_visit"]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", True)
    assert cookie["max-age"] == 24 * 3600


def test_where_a_password_would_travel_in_the_clear_a_link_opens_nothing(
    owner: User, settings: LazySettings
) -> None:
    settings.PLAIN_HTTP = False
    answer = Client().get(address_of(owner))
    assert (answer.status_code, answer.cookies.get("heatmon_visit")) == (403, None)


def test_a_visitor_reads_what_is_listed_and_nothing_else(visitor: Client) -> None:
    """Whatever address comes later is closed until it is listed."""
    opened = set()
    for address in all_addresses():
        if address in FOR_ANYBODY or address == "/metrics":
            continue
        refused = visitor.get(address, follow=False)
        if refused.status_code not in {302, 403}:
            opened.add(address)
    assert opened == READABLE


def test_what_is_listed_are_addresses_that_exist() -> None:
    named = {resolve(address).view_name for address in READABLE}
    assert named | {"changelog:entry"} == VISITED  # its page lies behind that of the change


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_visitor_sends_nothing_anywhere(visitor: Client, method: str) -> None:
    for address in all_addresses():
        if address in OPEN or address == "/metrics":
            continue
        answer = getattr(visitor, method)(address, content_type="application/json")
        refused = {400, 403, 405} if address.startswith("/api/") else {403, 405}
        assert answer.status_code in refused, (address, answer.status_code)
    assert not Entry.objects.exists()


def test_a_visitor_is_led_to_nothing_that_is_closed(visitor: Client, written: list[int]) -> None:
    lead = re.compile(r'(?:href|action|hx-get|hx-post)="(/[^"?#]*)')
    walked = set()
    for address in pages_with_notes(written):
        page = shown_at(visitor, address)
        assert 'method="post"' not in page, address
        for target in set(lead.findall(page)):
            if not target.startswith("/static/"):
                name = resolve(target).view_name
                walked.add(name)
                assert name in VISITED | {"dashboard:manifest"}, (address, target)
    assert {"dashboard:history", "dashboard:change", "changelog:configuration", "api:history"} <= walked


def test_a_visitor_is_offered_nothing_that_only_others_may_do(visitor: Client, store: SqliteStore) -> None:
    set_up(default_site())
    fill(store, default_site(), NOW - timedelta(hours=3), NOW)
    for address in ("/", "/changes", "/changes/configuration"):
        page = visitor.get(address).content.decode()
        assert "No changes yet" in page or address == "/changes/configuration"
        for offer in ("Add a note", "Try another value", "Plan an alternating test"):
            assert offer not in page, (address, offer)


def test_every_page_says_that_it_is_a_visit(visitor: Client) -> None:
    for address in READABLE:
        if not address.startswith("/api/"):
            assert "Read-only link by <b>anna</b>, until" in visitor.get(address).content.decode(), address


def test_a_signed_in_owner_stays_the_owner_and_opening_it_is_no_first_use(
    signed_in: Client, owner: User
) -> None:
    answer = signed_in.get(address_of(owner))
    assert (answer.status_code, answer.cookies.get("heatmon_visit")) == (302, None)
    assert "Open it in a private window" in signed_in.get("/").content.decode()
    assert ReadOnlyLink.objects.get().last_used_at is None
    assert signed_in.get("/settings").status_code == 200


def test_whoever_signs_in_during_a_visit_is_that_account(visitor: Client, owner: User) -> None:
    visitor.force_login(owner)
    assert visitor.get("/settings").status_code == 200
    assert "Read-only link by" not in visitor.get("/").content.decode()


def test_a_token_beside_a_visit_is_that_token(visitor: Client, owner: User) -> None:
    _token, plain = create_token("script", write=True, at=NOW, user=owner)
    sent = {"Authorization": f"Bearer {plain}"}
    answer = visitor.post("/api/changelog", {"text": "x"}, content_type="application/json", headers=sent)
    assert answer.status_code == 201


def test_unknown_expired_and_revoked_links_answer_alike(owner: User) -> None:
    expired, revoked = address_of(owner, days=-1), address_of(owner)
    ReadOnlyLink.objects.filter(pk=ReadOnlyLink.objects.latest("pk").pk).update(revoked_at=NOW)
    answers = [Client().get(address) for address in ("/v/hv_nonsense", expired, revoked)]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({refusal_of(answer.content.decode()) for answer in answers}) == 1
    assert "This link does not work" in answers[0].content.decode()
    assert all(not answer.cookies.get("heatmon_visit") for answer in answers)


def test_a_running_visit_ends_with_the_next_request_when_the_link_is_revoked(
    visitor: Client, signed_in: Client
) -> None:
    assert visitor.get("/energy").status_code == 200
    pk = ReadOnlyLink.objects.get().pk
    assert signed_in.post("/settings", {"section": "links", "revoke": pk})["Location"] == "/settings#links"
    page = visitor.get("/energy")
    assert (page.status_code, "This link does not work" in page.content.decode()) == (403, True)
    assert visitor.get("/api/status").status_code == 401
    piece = visitor.get("/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/?x=1"})
    assert (piece.status_code, piece["HX-Redirect"], piece.content) == (401, "/?x=1", b"")
    assert visitor.get("/login").status_code == 200


def test_a_running_visit_ends_when_the_link_is_over(visitor: Client) -> None:
    with clock.fixed(NOW + timedelta(days=29, hours=23)):
        assert visitor.get("/energy").status_code == 200
    with clock.fixed(NOW + timedelta(days=30)):
        assert visitor.get("/energy").status_code == 403


def test_a_visit_ends_with_the_account_that_made_the_link(visitor: Client, owner: User) -> None:
    owner.is_active = False
    owner.save()
    assert visitor.get("/energy").status_code == 403


def test_a_cookie_of_ones_own_making_opens_nothing(owner: User) -> None:
    address_of(owner)
    client = Client()
    client.cookies["heatmon_visit"] = ReadOnlyLink.objects.get().digest
    assert client.get("/energy")["Location"].startswith("/login")


def test_five_guesses_close_the_door_of_one_address_even_to_the_right_link_ever_longer(owner: User) -> None:
    right, at = address_of(owner), NOW
    for minutes in (1, 4, 16, 60, 60):
        with clock.fixed(at):
            for _ in range(5):
                assert Client().get("/v/guess").status_code == 404
            closed = Client().get(right)
            assert (closed.status_code, closed["Retry-After"]) == (429, str(minutes * 60))
            assert f"{minutes} minute" in closed.content.decode()
            assert Client().get(right, REMOTE_ADDR="192.168.1.20").status_code == 302
        at += timedelta(minutes=minutes, seconds=1)
    with clock.fixed(at):
        assert Client().get(right).status_code == 302


def test_a_link_made_opened_refused_and_revoked_is_written_down_without_its_secret(
    signed_in: Client,
) -> None:
    page = signed_in.post("/settings", {"section": "links", "name": "Installer", "days": "7"})
    address = page.context["new_link"]["address"].removeprefix("http://testserver")
    for _ in range(2):
        Client().get(address)
    Client().get("/v/hv_guess-canary")
    signed_in.post("/settings", {"section": "links", "revoke": ReadOnlyLink.objects.get().pk})
    entries = list(AuditEntry.objects.exclude(action="login").order_by("id"))
    assert [(entry.action, entry.actor, entry.detail) for entry in entries] == [
        ("link_created", "anna", "Installer"),
        ("link_opened", "Installer", ""),
        ("link_refused", "", ""),
        ("link_revoked", "anna", "Installer"),
    ]


def test_the_owner_sees_when_it_was_last_opened(visitor: Client, signed_in: Client) -> None:
    with clock.fixed(NOW + timedelta(minutes=30)):
        visitor.get("/energy")
    with clock.fixed(NOW + timedelta(minutes=33)):
        assert "3 min ago" in signed_in.get("/settings").content.decode()


def test_in_the_demo_links_are_closed(owner: User, settings: LazySettings) -> None:
    address = address_of(owner)
    settings.DEMO = True
    assert Client().get(address).status_code == 403
    made = Client().post("/settings", {"section": "links", "name": "x", "days": "1"})
    assert (made.status_code, ReadOnlyLink.objects.count()) == (403, 1)


def test_under_another_path_the_visit_begins_there(owner: User) -> None:
    address = address_of(owner)
    with override_script_prefix("/heat/"):
        answer = Client().get(address)
    assert answer["Location"] == "/heat/"


CANARIES = ("canary-note", "canary-title", "canary-comment", "ben-the-author")


@pytest.fixture
def written(store: SqliteStore, owner: User) -> list[int]:
    """A home with notes, and a change with a title and a comment that the owner wrote."""
    site = default_site()
    set_up(site)
    began(store, site, NOW - timedelta(days=40))
    fill(store, site, NOW - timedelta(days=2), NOW)
    note = notes.add_note(
        site, "canary-note\nmore canary-note", NOW - timedelta(hours=3), "ben-the-author", now=NOW
    )
    notes.add_note(site, "canary-note", NOW - timedelta(days=30), "ben-the-author", now=NOW)
    entry = None
    for number, slope in enumerate([0.6, 0.5, 0.5]):
        poll = HeatPumpConfiguration(
            observed_at=NOW - timedelta(hours=5) + timedelta(minutes=5 * number),
            device="7571381573112225",
            settings={"circuits.1.curve.slope": slope},
            changed_at={},
        )
        entry = observe(site, poll) or entry
    assert entry is not None
    notes.edit_entry(entry.pk, 1, text="canary-comment", title="canary-title", site=site, now=NOW)
    DerivedState.objects.create(site=site, version=1)  # from now on pages are kept
    return [note.id, entry.pk]


def pages_with_notes(ids: list[int]) -> list[str]:
    queries = (
        "/history?range=day",
        "/history?range=year",
        "/changes?kind=note",
        "/changes?q=canary",
        f"/changes?before={ids[0]}",
        "/report?period=12-months&notes=1",
        "/energy?range=day",
        "/energy?format=csv",
        "/efficiency?format=csv",
        "/api/changelog?kind=note",
        "/api/changelog?limit=500",
        "/api/history?series=power_w&from=2026-11-24T06:00:00Z&to=2026-11-24T12:00:00Z&format=csv",
        "/changes/configuration?at=2026-11-24T12:00:00Z",
        *(f"/changes/{each}" for each in ids),
        *(f"/changes/{each}?format=csv" for each in ids),
        *(f"/api/changelog/{each}/effect" for each in ids),
    )
    return sorted({*READABLE, *queries})


def shown_at(client: Client, address: str) -> str:
    answer = client.get(address)
    content = b"".join(answer) if answer.streaming else answer.content
    return content.decode()


@pytest.mark.parametrize("first", ["owner", "visitor"])
def test_no_page_shows_a_visitor_what_people_wrote_unless_the_owner_chose_so(
    visitor: Client, signed_in: Client, owner: User, written: list[int], first: str
) -> None:
    """What one of them is shown is not kept for the other."""
    with_notes = Client()
    with_notes.get(address_of(owner, notes=True))
    seen = set()
    for address in pages_with_notes(written):
        if first == "owner":
            shown_at(signed_in, address)
        page = shown_at(visitor, address)
        assert [word for word in CANARIES if word in page.replace("?q=canary", "")] == [], address
        if any(word in shown_at(with_notes, address) for word in CANARIES):
            seen.add(address)
            assert any(word in shown_at(signed_in, address) for word in CANARIES)
    assert {"/", "/history", "/changes", "/report", "/api/changelog", f"/changes/{written[0]}"} <= seen


def test_reading_has_no_note_judged(owner: User, written: list[int]) -> None:
    """What is asked once is judged each night from then on."""
    then = NOW - timedelta(days=60)
    visitor, note = Client(), notes.add_note(default_site(), "insulated", then, "anna", now=NOW).id
    visitor.get(address_of(owner, notes=True))
    page = visitor.get(f"/changes/{note}?effect=1")
    assert page.status_code == 200
    assert "Compare before and after" not in page.content.decode()
    assert visitor.get(f"/api/changelog/{note}/effect").status_code == 403
    assert not Effect.objects.filter(entry=note).exists()


def test_a_link_ends_with_the_rights_of_who_made_it(visitor: Client, owner: User) -> None:
    assert visitor.get("/").status_code == 200
    owner.is_superuser = False
    owner.save()
    assert visitor.get("/").status_code == 403


@pytest.mark.parametrize(
    "said", ["http://h//evil.example/x", "http://h///evil.example", "http://h/\\evil", "javascript:alert(1)"]
)
def test_a_visit_that_is_over_leads_to_no_other_host(visitor: Client, said: str) -> None:
    ReadOnlyLink.objects.update(revoked_at=NOW)
    piece = visitor.get("/", HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL=said)
    assert (piece.status_code, piece["HX-Redirect"]) == (401, "/")


def test_a_hidden_note_is_not_there(visitor: Client, written: list[int]) -> None:
    note, change = written
    assert visitor.get(f"/changes/{note}").status_code == 404
    assert visitor.get(f"/api/changelog/{note}/effect").status_code == 404
    assert visitor.get(f"/changes/{change}").status_code == 200
    page = visitor.get("/changes?q=canary").content.decode()
    assert "No entries match your search." in page
    for word in ("Notes", "your note", "Comment"):
        assert f">{word}<" not in page


def test_notes_that_are_hidden_are_only_hidden(visitor: Client, written: list[int]) -> None:
    visitor.get("/changes")
    assert Entry.objects.filter(kind="note").count() == 2
    assert Entry.objects.get(kind="setting").title == "canary-title"
