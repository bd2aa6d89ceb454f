"""``up`` as a process of its own, in real time, on a free port of loopback."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tools.soak.stops import WATCH, Load

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S, STOP_WITHIN_S, POLL_S = 30.0, 10.0, 0.05
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")
BANNER = "This house is simulated."


def environment(data_dir: Path, **given: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("HEATMON_", "COV_"))}
    return {**kept, "HEATMON_TESTING": "1", "HEATMON_DATA_DIR": str(data_dir), **given}


class Up:
    """A running ``manage.py up``. ``said``: its lines so far."""

    def __init__(self, data_dir: Path, *words: str, **given: str) -> None:
        self.data_dir = data_dir
        self.stray_log = data_dir.with_name(f"{data_dir.name}-stray-writes")
        self.said: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--bind", "127.0.0.1:0", *words],
            cwd=ROOT,
            env=environment(data_dir, PYTHONPATH=str(WATCH), STRAY_WRITES_LOG=str(self.stray_log), **given),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def line_with(self, text: str) -> str:
        """The first line that has ``text``."""
        for line in self.said:
            if text in line:
                return line
        deadline = time.monotonic() + START_WITHIN_S
        while (left := deadline - time.monotonic()) > 0:
            line_or_end = self._lines.get(timeout=left)
            if line_or_end is None:
                break
            self.said.append(line_or_end)
            if text in line_or_end:
                return line_or_end
        raise AssertionError(f"no line with {text!r} in {self.said}")

    @property
    def address(self) -> str:
        found = ADDRESS.search(self.line_with("stop: Ctrl-C"))
        assert found is not None
        return found.group()

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.address}{path}", allow_redirects=False, timeout=10)

    def on_the_wire(self, path: str, encoding: str, **headers: str) -> tuple[requests.Response, int]:
        """The answer, and how many bytes of it were sent."""
        headers = {**headers, "Accept-Encoding": encoding}
        answer = requests.get(f"{self.address}{path}", headers=headers, stream=True, timeout=10)
        return answer, len(answer.raw.read(decode_content=False))

    def must_end_cleanly(self, number: signal.Signals) -> None:
        """Told to stop by ``number`` while browsers ask for pages, it ends in time with 0, so does everything
        that it started, and no wake-up write went into a file."""
        assert processes_of(self.data_dir) != []
        load = Load(self.address, browsers=2)
        load.wait_for_answers(20)
        self.process.send_signal(number)
        try:
            code = self.process.wait(STOP_WITHIN_S)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._reader.join()
            assert self.process.stdout is not None
            self.process.stdout.close()
            load.end()
        while not self._lines.empty():
            self.said.append(self._lines.get() or "")
        assert code == 0, self.said
        assert processes_of(self.data_dir) == []
        assert [line for line in self.said if "Traceback" in line or "did not end in time" in line] == []
        assert "stopping ..." in self.said
        assert self.stray_log.read_text() == ""


def processes_of(data_dir: Path) -> list[int]:
    """Processes that were started for this data directory."""
    mark = f"HEATMON_DATA_DIR={data_dir}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue  # ended meanwhile, or another user's
    return found


def refused(data_dir: Path, *words: str, **given: str) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, "manage.py", "up", *words],
        cwd=ROOT,
        env=environment(data_dir, **given),
        capture_output=True,
        text=True,
        timeout=START_WITHIN_S,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Its end is tested when all have used it: by Ctrl-C, while the past is still being written."""
    up = Up(tmp_path_factory.mktemp("demo"), "--demo")
    yield up
    up.must_end_cleanly(signal.SIGINT)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """With a meter that does not answer, and without an account. Its end, as a service manager asks for
    it, is tested when all have used it."""
    up = Up(tmp_path_factory.mktemp("real"), HEATMON_SHELLY_URL="http://127.0.0.1:9")
    yield up
    up.must_end_cleanly(signal.SIGTERM)


def test_the_demo_says_what_it_is(demo: Up) -> None:
    answer = demo.get("")
    assert answer.status_code == 200
    assert BANNER in answer.text
    assert "demo data" in demo.line_with("stop: Ctrl-C")
    assert demo.get("healthz").status_code == 200


def test_the_demo_prints_the_code_that_setup_asks_for(demo: Up) -> None:
    assert re.search(r"setup : [A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}$", demo.line_with("one-time code"))
    assert demo.get("setup").status_code == 200


def test_nobody_else_can_read_the_files(demo: Up) -> None:
    assert demo.get("").status_code == 200
    files = list(demo.data_dir.rglob("*"))
    assert {path.name for path in files} >= {"demo", "heatmon.sqlite3", "timeseries.sqlite3", "secret.key"}
    modes = {str(path): path.stat().st_mode & 0o077 for path in (demo.data_dir / "demo", *files)}
    assert [path for path, mode in modes.items() if mode] == []
    assert demo.data_dir.stat().st_mode & 0o777 == 0o700


def test_a_second_start_on_the_same_data_is_refused(demo: Up) -> None:
    demo.address  # noqa: B018  (it runs)
    code, said = refused(demo.data_dir, "--demo", "--bind", "127.0.0.1:0")
    assert code == 1
    assert f"heatmon is already running on this data directory (process {demo.process.pid})." in said
    assert "Stop it first, or open its page." in said
    assert "Traceback" not in said


def test_the_demo_answers_on_loopback_only(tmp_path: Path) -> None:
    code, said = refused(tmp_path, "--demo", "--bind", "0.0.0.0:0")
    assert code == 2
    assert "The demo has no sign-in and listens on loopback only, not on 0.0.0.0." in said


def test_a_bind_without_port_is_refused(tmp_path: Path) -> None:
    code, said = refused(tmp_path, "--bind", "127.0.0.1")
    assert (code, "must be an address and a port like 0.0.0.0:8000" in said) == (2, True)


def test_a_wrong_setting_stops_the_start_with_its_name(tmp_path: Path) -> None:
    code, said = refused(tmp_path, HEATMON_LATITUDE="north", HEATMON_SHELLY_URL="ftp://x")
    assert code == 2
    assert "HEATMON_LATITUDE must be a number" in said
    assert "HEATMON_SHELLY_URL" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "path", ["", "energy", "energy?period=day&format=csv", "api/openapi.json", "documentation/numbers"]
)
def test_answers_are_compressed_for_whoever_understands_it(demo: Up, path: str) -> None:
    plain, plain_bytes = demo.on_the_wire(path, "identity")
    short, short_bytes = demo.on_the_wire(path, "gzip")
    assert "Content-Encoding" not in plain.headers
    assert short.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in short.headers["Vary"]
    assert short_bytes < 0.6 * plain_bytes  # a table of few days has little to repeat


def test_a_static_file_that_the_browser_has_is_not_sent_again(demo: Up) -> None:
    first, _bytes = demo.on_the_wire("static/js/charts.js", "gzip")
    again, _bytes = demo.on_the_wire(
        "static/js/charts.js", "gzip", **{"If-None-Match": first.headers["ETag"]}
    )
    assert (first.status_code, again.status_code) == (200, 304)


@pytest.mark.parametrize("path", ["", "history", "energy", "efficiency", "changes", "health", "settings"])
def test_a_real_run_without_account_leads_to_setup(real: Up, path: str) -> None:
    answer = real.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/setup"
    assert BANNER not in answer.text


def test_a_real_run_prints_the_code_and_shows_no_demo(real: Up) -> None:
    assert re.search(r"setup : [A-Z2-9-]{14}$", real.line_with("one-time code"))
    page = real.get("setup")
    assert page.status_code == 200
    assert BANNER not in page.text
    assert not (real.data_dir / "demo").exists()


def test_a_real_run_tells_that_its_meter_does_not_answer(real: Up) -> None:
    line = real.line_with("is not responding")
    assert "meter: The meter at 127.0.0.1:9 is not responding. Check that the meter has power" in line
    assert real.get("healthz").json() == {"ok": True, "failing": []}


def test_the_api_of_a_real_run_asks_for_a_login(real: Up) -> None:
    answer = real.get("api/status")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"


@pytest.mark.slow
def test_a_lost_store_is_not_begun_anew_in_silence(tmp_path: Path) -> None:
    home = tmp_path / "home"
    store = home / "timeseries.sqlite3"
    given = {"HEATMON_SHELLY_URL": "http://127.0.0.1:9"}
    first = Up(home, **given)
    assert first.get("readyz").status_code == 200
    first.must_end_cleanly(signal.SIGTERM)
    assert store.stat().st_size > 0
    store.write_bytes(b"")
    Path(f"{store}-wal").unlink(missing_ok=True)

    second = Up(home, **given)
    second.line_with("is missing or empty")
    answer = second.get("readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["store"])
    assert second.get("healthz").status_code == 200
    page = second.get("setup").text
    assert "The file with the measured values is missing or empty." in page
    assert "manage.py begin_store" in page
    second.must_end_cleanly(signal.SIGTERM)
    assert store.stat().st_size == 0

    assert "A new time-series store was started." in command(home, "begin_store")
    assert "it was left as it is" in command(home, "begin_store")
    third = Up(home, **given)
    assert third.get("readyz").status_code == 200
    third.must_end_cleanly(signal.SIGTERM)


@pytest.mark.slow
def test_commands_that_need_a_lost_store_say_what_to_do(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command(home, "verify")
    (home / "timeseries.sqlite3").unlink()
    assert "is missing or empty. Restore a backup, or see begin_store --help." in command(home, "verify")
    assert not (home / "timeseries.sqlite3").exists()


def command(data_dir: Path, *words: str) -> str:
    ended = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment(data_dir),
        capture_output=True,
        text=True,
        timeout=START_WITHIN_S,
        check=False,
    )
    return ended.stdout + ended.stderr
