"""What keeps heatmon from starting is said in a sentence, with exit code 2 and no traceback."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from heatmon import data_dir
from heatmon.options import OptionsError, load_options

ROOT = Path(__file__).resolve().parents[2]


def environment(**given: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("HEATMON_", "COV_"))}
    return {**kept, "HEATMON_TESTING": "1", **given}


def started(*words: str, **given: str) -> tuple[int, str]:
    """Run manage.py in a process of its own; return its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment(**given),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("HEATMON_DATABASE_URL", "postgres://db:99999/heatmon", "has an invalid port"),
        ("HEATMON_DATABASE_URL", "postgres://db:port/heatmon", "has an invalid port"),
        ("HEATMON_REDIS_URL", "redis://redis:99999/0", "does not have a valid port"),
        ("HEATMON_REDIS_URL", "redis", "must be an address like redis://redis:6379/0"),
        ("HEATMON_INFLUXDB_URL", "http://influxdb:99999", "does not have a valid port"),
        ("HEATMON_SHELLY_URL", "http://admin:canary@192.168.1.50", "must not have a name or password in it"),
        ("HEATMON_INFLUXDB_URL", "http://me:canary@influxdb:8086", "must not have a name or password in it"),
        ("HEATMON_TRUSTED_PROXY", "proxy.lan", "must be an IP address like 172.30.43.2"),
        ("HEATMON_SCRIPT_NAME", "heatmon", "must begin with a slash, like /heatmon"),
        ("HEATMON_SECRET_KEY", "a" * 40, "must have at least 32 characters, 10 of them different"),
        ("HEATMON_SECRET_KEY", "abcdefghijklmnop", "must have at least 32 characters, 10 of them different"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, value: str, fault: str) -> None:
    with pytest.raises(OptionsError) as caught:
        load_options({variable: value})
    assert caught.value.faults[0].startswith(f"{variable} {fault}")
    assert "canary" not in caught.value.faults[0]


def test_a_secret_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OptionsError, match="HEATMON_SECRET_KEY_FILE: it is not UTF-8 text"):
        load_options({"HEATMON_SECRET_KEY_FILE": str(tmp_path / "key")})


def test_a_wrong_setting_ends_the_start_with_code_2(tmp_path: Path) -> None:
    code, said = started("check", HEATMON_DATA_DIR=str(tmp_path), HEATMON_SCRIPT_NAME="heatmon")
    assert (code, said) == (
        2,
        "heatmon cannot start:\n  HEATMON_SCRIPT_NAME must begin with a slash, like /heatmon\n",
    )


def test_an_env_file_that_is_no_utf_8_ends_the_start_with_code_2(tmp_path: Path) -> None:
    """It lies beside manage.py, so the settings are read from a copy of them."""
    package = tmp_path / "heatmon"
    shutil.copytree(ROOT / "heatmon", package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".env").write_bytes("HEATMON_SHELLY_PASSWORD=Schlüssel".encode("latin-1"))
    done = subprocess.run(
        [sys.executable, "-c", "import heatmon.settings"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert f"{tmp_path}/.env cannot be read as UTF-8 text" in done.stderr


def test_a_data_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "else")
    for name in ("file", "dangling"):
        code, said = started("check", HEATMON_DATA_DIR=str(tmp_path / name))
        assert code == 2
        assert f"HEATMON_DATA_DIR cannot be used: {tmp_path / name}" in said


def test_a_data_directory_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_arguments: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(data_dir.DataDirUnusable, match="cannot be written: .*: Read-only file system"):
        data_dir.secret_key(tmp_path / "secret.key")


@pytest.mark.parametrize("names", [(), ("secret.key",), ("heatmon.sqlite3", "notes.txt")])
def test_an_old_data_directory_open_to_others_is_closed(tmp_path: Path, names: tuple[str, ...]) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    for name in names:
        (folder / name).touch()
    data_dir.make(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_directory_of_somebody_else_is_left_alone_and_refused(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "letters").touch()
    with pytest.raises(data_dir.DataDirUnusable, match="is open to others"):
        data_dir.make(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


@pytest.mark.parametrize("command", ["report", "recalculate"])
@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "9999-12-31"])
@pytest.mark.parametrize("option", ["--from", "--to"])
def test_a_day_out_of_all_reach_is_refused_by_commands(
    command: str, day: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from django.core.management import load_command_class

    parser = load_command_class("heatmon", command).create_parser("manage.py", command)
    parser.called_from_command_line = True
    with pytest.raises(SystemExit) as caught:
        parser.parse_args([option, day])
    assert caught.value.code == 2
    assert f"{day} must be in the years 1970 to 2099" in capsys.readouterr().err


def test_a_port_out_of_range_is_refused_by_up(tmp_path: Path) -> None:
    code, said = started("up", "--bind", "127.0.0.1:99999", HEATMON_DATA_DIR=str(tmp_path))
    assert (code, "CommandError: --bind 127.0.0.1:99999 must be between 0 and 65535" in said) == (2, True)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"HEATMON_BIND": "0.0.0.0:8000", "HEATMON_TRUSTED_PROXY": "172.30.43.2"},
        {"HEATMON_BIND": "0.0.0.0:8000", "HEATMON_LAN_HTTP": "on"},
    ],
    ids=["loopback", "behind TLS", "home network"],
)
def test_djangos_own_list_for_deployment_has_nothing_to_say(tmp_path: Path, given: dict[str, str]) -> None:
    code, said = started(
        *("check", "--deploy", "--fail-level", "WARNING"), HEATMON_DATA_DIR=str(tmp_path), **given
    )
    assert (code, said.partition("(")[0].strip()) == (0, "System check identified no issues")
