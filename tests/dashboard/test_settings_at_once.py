"""What is saved in the same moment is all kept: each save starts from what is in force when it is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.dashboard.settings.price_cards import PriceCard
from apps.devices.options import default_site, home_options, save_home_options
from tests.heatmon.test_database import manage

AT_ONCE = """
import json, threading
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from apps.devices.options import default_site, home_options

steps = ["meter", "heat_pump", "place", "price", "flow_rate"]
posts = [(f"/setup/later/{step}", {}) for step in steps]
posts += [
    ("/settings", {"section": "price", "new_from": f"2026-0{n}-01", "new_price": "0.3"}) for n in range(1, 6)
]
ready = threading.Barrier(len(posts))

def post(address, data):
    client = Client(SERVER_NAME="localhost")
    client.cookies = owner.cookies
    ready.wait(20)
    assert client.post(address, data).status_code == 302
    connections.close_all()

owner = Client(SERVER_NAME="localhost")
owner.force_login(User.objects.create_superuser("anna"))
assert owner.get("/settings").status_code == 200
threads = [threading.Thread(target=post, args=one) for one in posts]
for thread in threads: thread.start()
for thread in threads: thread.join(60)
options = home_options(default_site())
print(json.dumps([options.setup_later, [one["from"] for one in options.tariffs]]))
"""


def add_while_another_does(
    owner: Client, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any], **mine: str
) -> Any:
    """What a save answers that was checked already when ``other`` tariffs are saved."""
    check = PriceCard.clean

    def checked(card: PriceCard) -> dict[str, Any]:
        cleaned = check(card)
        monkeypatch.setattr(PriceCard, "clean", check)
        save_home_options(default_site(), {"tariffs": [other]})
        return cleaned

    made_from = owner.get("/settings").context["cards"][4]["form"].made_from
    monkeypatch.setattr(PriceCard, "clean", checked)
    untouched = json.loads(made_from)
    return owner.post("/settings", {"section": "price", "made_from": made_from, **untouched, **mine})


def test_a_tariff_saved_between_check_and_save_of_another_is_kept(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"from": "2025-03-01", "price": 0.334}
    response = add_while_another_does(owner, monkeypatch, other, new_from="2026-01-01", new_price="0.32")
    assert response.status_code == 302
    kept = [dict(one) for one in home_options(default_site()).tariffs]
    assert kept == [other, {"from": "2026-01-01", "price": 0.32}]


def test_the_same_day_saved_between_check_and_save_is_told(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"from": "2025-03-01", "price": 0.334}
    response = add_while_another_does(owner, monkeypatch, other, new_from="2025-03-01", new_price="0.32")
    assert response.status_code == 409
    assert [dict(one) for one in home_options(default_site()).tariffs] == [other]


@pytest.mark.slow
def test_ten_saves_in_the_same_moment_are_all_kept(tmp_path: Path) -> None:
    assert manage(tmp_path, "migrate").returncode == 0
    done = manage(tmp_path, "shell", "--no-imports", "-c", AT_ONCE)
    assert done.returncode == 0, done.stderr
    later, tariffs = json.loads(done.stdout.splitlines()[-1])
    assert later == ["flow_rate", "heat_pump", "meter", "place", "price"], done.stderr
    assert tariffs == ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"], done.stderr
