"""docker-compose.yml for real, as the documents say: ``make production-test``.

An influxd is used where HEATMON_TEST_INFLUXDB or the PATH has one, else the stand-in of the tests.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tools import containers

from .processes import tell, wait_for
from .stack import IMAGE, Stack, build_images, influxd, need_containers

FIVE = ("web", "worker", "beat", "redis", "influxdb")
OURS = ("web", "worker", "beat")
PASSWORD = "the quiet pump hums at night"
RESUME_WITHIN_S = 20.0


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_containers()
    folder = tmp_path_factory.mktemp("production")
    began = time.monotonic()
    build_images()
    tell(f"images: {time.monotonic() - began:.0f} s; {'influxd' if influxd() else 'stand-in for InfluxDB'}")
    return folder


# What the first version's database was, with an account in it.
OLD_DATABASE = f"""
from django.core.management import call_command
for app in ("auth", "contenttypes", "sessions", "axes", "admin"):
    call_command("migrate", app, verbosity=0)
for app in ("devices", "metrics", "changelog"):
    call_command("migrate", app, "0001", verbosity=0)
from django.contrib.auth.models import User
User.objects.create_superuser("anna", password="{PASSWORD}")
"""


@pytest.fixture(scope="module")
def stack(scratch: Path) -> Iterator[Stack]:
    (scratch / "home").mkdir()
    stack = Stack(scratch / "home", "HEATMON_TRUSTED_ORIGINS=https://localhost:8443\n")
    try:
        stack.project.compose(
            *("run", "--rm", "-T", "--no-deps", "web", "shell", "--no-imports", "-c", OLD_DATABASE)
        )
        took_s = stack.up()
        tell("healthy after: " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in took_s.items()))
        yield stack
    except BaseException:
        for service in FIVE:
            tell(f"--- {service}\n{stack.project.logs(service)}")
        raise
    finally:
        stack.close()


@pytest.fixture(scope="module")
def token(stack: Stack) -> str:
    return stack.manage("create_api_token", "test", "--write").split()[-1]


@pytest.fixture(scope="module")
def browser(stack: Stack) -> requests.Session:
    """A browser at the proxy's TLS, with the proxy's own authority, signed in with the old account."""
    authority = stack.folder / "root.crt"
    authority.write_text(stack.project.execute("proxy", "cat", "/data/caddy/pki/authorities/local/root.crt"))
    session = requests.Session()
    session.trust_env, session.verify = False, str(authority)
    session.headers["Referer"] = tls(stack, "/")
    session.get(tls(stack, "/login"), timeout=20)
    signed_in = post(session, stack, "/login", {"username": "anna", "password": PASSWORD})
    assert signed_in.url == tls(stack, "/"), signed_in.text[:2000]
    return session


def tls(stack: Stack, path: str) -> str:
    return f"https://localhost:{stack.ports['HTTPS_PORT']}{path}"


def post(session: requests.Session, stack: Stack, path: str, fields: dict[str, str]) -> requests.Response:
    fields = {**fields, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    return session.post(tls(stack, path), fields, timeout=20)


def api(stack: Stack, token: str, path: str) -> Any:
    """Return the answer; None while the store does not answer."""
    answer = requests.get(
        f"http://127.0.0.1:{stack.ports['PORT']}{path}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=20,
    )
    if answer.status_code == 503:
        tell(f"503 {path}: {answer.text}\n{stack.project.logs('web')}\n{stack.project.logs('influxdb')}")
        return None
    assert answer.status_code == 200, answer.text
    return answer.json()


def inspected(stack: Stack, service: str) -> dict[str, Any]:
    said = containers.run("podman", "inspect", stack.project.container(service)).stdout
    found: dict[str, Any] = json.loads(said)[0]
    return found


# What runs


def test_five_services_are_healthy(stack: Stack) -> None:
    assert {service: stack.project.healthy(service) for service in FIVE} == dict.fromkeys(FIVE, True)


def test_the_workers_poll_the_devices_and_the_api_shows_them(stack: Stack, token: str) -> None:
    def fresh() -> Any:
        status = api(stack, token, "/api/status")
        return (
            status if status and status["meter"]["state"] == status["heat_pump"]["state"] == "fresh" else None
        )

    status = wait_for(fresh, 330, "both devices fresh")
    assert status["meter"]["power_w"] is not None
    assert status["heat_pump"]["outside_temperature_c"] is not None
    ready = requests.get(f"http://127.0.0.1:{stack.ports['PORT']}/readyz", timeout=20)
    assert (ready.status_code, ready.json()["failing"]) == (200, [])


def test_the_meters_memory_is_fetched_and_derived(stack: Stack, token: str) -> None:
    def minutes() -> Any:
        now = int(time.time())
        path = f"/api/history?series=energy_wh&from={iso(now - 5400)}&to={iso(now - 1800)}"
        answer = api(stack, token, path)
        series = answer["series"]["energy_wh"] if answer else {"mean": []}
        return sum(value is not None for value in series["mean"]) >= 12

    wait_for(minutes, 120, "an hour of the meter's memory")


def iso(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def test_pages_are_served_through_the_proxy_with_documents_languages_and_static_files(
    stack: Stack, browser: requests.Session
) -> None:
    page = browser.get(tls(stack, "/"), timeout=20)
    assert page.status_code == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=2592000"
    assert "InfluxDB" in browser.get(tls(stack, "/health"), timeout=20).text
    german = browser.get(tls(stack, "/health"), headers={"Accept-Language": "de"}, timeout=20)
    assert german.headers["Content-Language"] == "de"
    assert "Zustand" in german.text or "Messwerte" in german.text
    assert "docker compose" in browser.get(tls(stack, "/documentation/production"), timeout=20).text
    for path in set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page.text)):
        assert browser.get(tls(stack, path), timeout=20).status_code == 200, path


def test_a_note_is_kept_and_sign_in_works_again(stack: Stack, browser: requests.Session, token: str) -> None:
    written = requests.post(
        f"http://127.0.0.1:{stack.ports['PORT']}/api/changelog",
        json={"text": "Slope from 1.4 to 1.2"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=20,
    )
    assert written.status_code == 201
    assert "Slope from 1.4 to 1.2" in browser.get(tls(stack, "/changes"), timeout=20).text
    other = requests.Session()
    other.trust_env, other.verify, other.headers["Referer"] = False, browser.verify, tls(stack, "/")
    other.get(tls(stack, "/login"), timeout=20)
    assert post(other, stack, "/login", {"username": "anna", "password": "wrong"}).url.endswith("/login")
    assert post(other, stack, "/login", {"username": "anna", "password": PASSWORD}).url == tls(stack, "/")


def test_without_the_proxy_a_forwarded_header_is_not_believed(stack: Stack) -> None:
    """Over plain HTTP nobody signs in: a caller that calls itself https is no proxy."""
    address = f"http://127.0.0.1:{stack.ports['PORT']}/setup"
    answer = requests.get(address, headers={"X-Forwarded-Proto": "https"}, timeout=20)
    assert "Strict-Transport-Security" not in answer.headers


def test_the_volume_of_an_older_version_was_brought_to_this_one(
    stack: Stack, browser: requests.Session
) -> None:
    assert "[ ]" not in stack.manage("showmigrations", "--plan")
    assert browser.get(tls(stack, "/settings"), timeout=20).status_code == 200


# What is contained


def test_our_services_run_without_root_rights_and_write_nowhere_but_to_their_data(stack: Stack) -> None:
    for service in OURS:
        said = stack.project.execute(
            service, "sh", "-c", "id -u; touch /app/x 2>&1; grep CapEff /proc/1/status; ls -ld /data"
        )
        assert said.splitlines()[0] == "10001"
        assert "Read-only file system" in said
        assert "CapEff:\t0000000000000000" in said
        assert "drwx------" in said
    for service in FIVE:
        host = inspected(stack, service)["HostConfig"]
        assert (service, host["ReadonlyRootfs"], host["Memory"] > 0) == (service, True, True)
        assert inspected(stack, service)["EffectiveCaps"] in ([], None)


def test_all_files_in_the_data_directory_are_the_owners_alone(stack: Stack) -> None:
    command = "find /data -type f ! -perm 600 -o -type d ! -perm 700"
    assert stack.project.execute("web", "sh", "-c", command) == ""


def test_redis_and_influxdb_are_not_published_and_ask_for_their_secrets(stack: Stack) -> None:
    bound = {service: inspected(stack, service)["HostConfig"]["PortBindings"] or {} for service in FIVE}
    published = {service for service, ports in bound.items() if any(ports.values())}
    assert published == {"web"}
    assert "NOAUTH" in stack.project.execute("redis", "redis-cli", "ping", check=False)
    address = "http://influxdb:8086/api/v2/write?org=heatmon&bucket=heatmon"
    asked = f"import requests; print(requests.post('{address}', 'a b=1', timeout=9).status_code)"
    assert stack.project.execute("web", "python", "-c", asked).strip() == "401"


def test_no_secret_stands_in_an_environment_an_argument_or_a_log(stack: Stack) -> None:
    secrets = [path.read_text().strip() for path in (stack.folder / "secrets").iterdir()]
    assert len(secrets) == 4
    for service in FIVE:
        found = inspected(stack, service)
        seen = json.dumps([found["Config"]["Env"], found["Config"]["Cmd"], found["Args"]])
        processes = stack.project.execute(service, "sh", "-c", "cat /proc/[0-9]*/cmdline", check=False)
        log = stack.project.logs(service, 10_000)
        assert [secret for secret in secrets if secret in seen + processes + log] == []


def test_the_image_holds_no_secret_and_nothing_of_the_workshop(scratch: Path) -> None:
    archive = scratch / "image.tar"
    made = containers.run("podman", "create", IMAGE).stdout.split()[-1]
    containers.run("podman", "export", "-o", archive, made)
    containers.run("podman", "rm", made)
    names = containers.run("tar", "-tf", archive).stdout.splitlines()
    app = {name.removeprefix("app/").split("/")[0] for name in names if name.startswith("app/")}
    assert app - {""} == {
        *("manage.py", "pyproject.toml", "requirements.lock", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
        *("LICENSE", "docs", "heatmon", "apps", "templates", "static", "staticfiles", "locale"),
    }
    assert [
        name for name in names if re.search(r"(^|/)(\.env|\.git|secrets|secret\.key|.*token\.json)$", name)
    ] == []
    assert any(name.endswith("de/LC_MESSAGES/django.mo") for name in names)
    hits = containers.run(
        *("grep", "-a", "-c", "-E", "-e", "-----BEGIN [A-Z ]*PRIVATE KEY-----\\s*[A-Za-z0-9+/]{40}", archive),
        check=False,
    )
    assert hits.stdout.strip() == "0"
    history = containers.run("podman", "history", "--no-trunc", IMAGE).stdout
    assert re.findall(r"(?i)(password|token|secret)=\S+", history) == []


def test_djangos_check_for_deployment_is_clean(stack: Stack) -> None:
    assert "no issues" in stack.manage("check", "--deploy", "--fail-level", "WARNING")


# What is disturbed


@pytest.mark.parametrize("service", ["worker", "redis", "beat", "web"])
def test_a_service_that_is_killed_comes_back_by_itself(stack: Stack, service: str) -> None:
    began = time.time()
    stack.crash(service)
    took_s = stack.polled_after(began)
    tell(f"{service} killed: polls again after {took_s:.1f} s")
    assert took_s <= RESUME_WITHIN_S
    stack.project.wait_healthy(service)


def test_sigterm_ends_each_service_within_ten_seconds(stack: Stack) -> None:
    ended = {service: stack.stop(service) for service in ("worker", "beat", "web", "redis", "influxdb")}
    tell("SIGTERM ends: " + ", ".join(f"{name} {seconds:.1f} s" for name, (seconds, _) in ended.items()))
    for service in reversed(ended):
        stack.start(service)
    stack.project.wait_healthy("web")
    assert [name for name, (seconds, code) in ended.items() if seconds >= 10 or code == 137] == []
    stack.polled_after(time.time())
