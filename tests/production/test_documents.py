"""Every command of docs/production.md, run in its order on installations as the document makes them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator

import pytest
import requests

from .processes import environment, wait_for
from .stack import ROOT, Stack, build_images, need_containers

TEXT = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
PASSWORD = "the quiet pump hums at night"
REPORT = ("report", "--period", "day", "--format", "json")


def commands(heading: str, number: int = 0) -> str:
    """Return a block of commands under a heading."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return blocks[number]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    need_containers()
    scratch = tmp_path_factory.mktemp("documents")
    build_images()
    (scratch / "home").mkdir()
    stack = Stack(scratch / "home", profiles=())
    shutil.rmtree(stack.folder / "secrets")
    programs = stack.folder / "programs"
    programs.mkdir()
    run_it = f'{sys.executable} -m tests.production.docker "$PWD" {stack.project.name} "$@"'
    shim = f"#!/bin/sh\nPYTHONPATH={ROOT} exec {run_it}\n"
    for name, script in (("docker", shim), ("git", "#!/bin/sh\n")):
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    yield stack
    stack.close()


def run(stack: Stack, script: str, without: str = "") -> str:
    """Run a block of commands; ``without``: a command that a test has other means for."""
    script = script.replace(without, "") if without else script
    environ = os.environ | {"PATH": f"{stack.folder / 'programs'}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=stack.folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def embedded(stack: Stack) -> dict[str, str]:
    """The environment of the embedded run on the folder ``data`` of an installation."""
    return environment(HEATMON_DATA_DIR=str(stack.folder / "data"))


def manage(stack: Stack, *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=embedded(stack), capture_output=True, text=True, check=True
    ).stdout


def test_every_block_of_commands_is_run_here() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    known = [
        *(
            commands("Install"),
            commands("Install", 1),
            commands("Behind a reverse proxy"),
            commands("Grafana"),
        ),
        *(commands("Update"), commands("From the embedded run, and back")),
        *(commands("From the embedded run, and back", 1), commands("Back up"), commands("Back up", 1)),
    ]
    assert blocks == known


def test_install_look_update_and_grafanas_password(home: Stack) -> None:
    settings = (home.folder / ".env").read_text()
    code = run(home, commands("Install"), without="cp .env.example .env\n")
    assert re.search(r"one-time code for /setup : \w{4}-\w{4}-\w{4}", code)
    assert (home.folder / ".env").read_text() == settings
    assert oct((home.folder / "secrets").stat().st_mode)[-3:] == "700"
    run(home, commands("Install", 1))
    before = {path.name: path.read_text() for path in (home.folder / "secrets").iterdir()}
    run(home, commands("Update"))
    password = run(home, commands("Grafana")).splitlines()[-1]
    assert len(password) == 64
    run(home, "sh contrib/make-secrets.sh")
    assert {path.name: path.read_text() for path in (home.folder / "secrets").iterdir()} == before


def test_the_code_of_the_log_makes_the_first_account_through_the_proxy(home: Stack) -> None:
    code = re.findall(r"\b\w{4}-\w{4}-\w{4}\b", run(home, "docker compose logs web | grep one-time"))[-1]
    run(home, commands("Behind a reverse proxy"))
    wait_for(lambda: home.project.healthy("proxy"), 30, "the proxy")
    address = f"https://localhost:{home.ports['HTTPS_PORT']}"
    authority = home.folder / "root.crt"
    command = "docker compose exec -T proxy cat /data/caddy/pki/authorities/local/root.crt"
    authority.write_text(run(home, command))
    with requests.Session() as browser:
        browser.trust_env, browser.verify = False, str(authority)
        browser.headers["Referer"] = f"{address}/setup"
        browser.get(f"{address}/setup", timeout=20)
        fields = {"code": code, "username": "anna", "password": PASSWORD, "password_again": PASSWORD}
        fields["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        made = browser.post(f"{address}/setup", fields, timeout=20)
    assert made.url == f"{address}/setup/language"


def test_a_backup_is_taken_off_the_machine_and_restored(home: Stack) -> None:
    run(home, commands("Back up"))
    with zipfile.ZipFile(home.folder / "heatmon-backup.zip") as archive:
        assert archive.namelist() == ["heatmon.sqlite3", "timeseries.sqlite3", "manifest.json"]
        assert archive.testzip() is None
    said = run(home, commands("Back up", 1))
    assert "are equal in both stores" in said
    assert "Restored: the backup of " in said


def test_from_the_embedded_run_and_back(home: Stack) -> None:
    home.project.down(volumes=True)
    data = home.folder / "data"
    data.mkdir(mode=0o700)
    manage(home, "setup_code")
    home.project.compose("up", "-d", "--no-deps", "devices")
    wait_for(lambda: answers(home), 30, "the devices answer")
    csv = home.folder / "emdata.csv"
    csv.write_text(requests.get(f"{home.meter}/emdata/0/data.csv", timeout=20).text)
    manage(home, "import_meter", str(csv), "--device", "A0B1C2D3E4F5")
    before = manage(home, *REPORT)
    moved = run(home, commands("From the embedded run, and back"))
    assert "are equal in both stores" in moved
    in_compose = home.manage(*REPORT)
    assert energy_kwh(in_compose) >= energy_kwh(before) > 0
    shutil.rmtree(data)
    data.mkdir(mode=0o700)
    back = run(home, commands("From the embedded run, and back", 1))
    assert "are equal in both stores" in back
    assert energy_kwh(manage(home, *REPORT)) >= energy_kwh(in_compose)


def energy_kwh(report: str) -> float:
    """Return the sum of a report, which grows with each minute that is polled."""
    known = (row["electrical_energy_kwh"] for row in json.loads(report)["rows"])
    return float(sum(energy for energy in known if energy is not None))


def answers(stack: Stack) -> bool:
    try:
        return bool(stack.control())
    except OSError:
        return False
