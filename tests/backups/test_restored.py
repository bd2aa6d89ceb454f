"""One rename puts a restored backup in force; an interruption anywhere after it is made up for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from heatmon.restored import finish_restore


def pending(folder: Path) -> None:
    (folder / "restored").mkdir()
    (folder / "restored" / "aside").write_text("before")
    for name in ("heatmon.sqlite3", "timeseries.sqlite3"):
        (folder / "restored" / name).write_text(f"new {name}")
        (folder / name).write_text(f"old {name}")
        (folder / f"{name}-wal").write_text(f"log of {name}")
    (folder / "secret.key").write_text("key")


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "restore.lock"
    }


DONE = {
    "before/heatmon.sqlite3": "old heatmon.sqlite3",
    "before/heatmon.sqlite3-wal": "log of heatmon.sqlite3",
    "before/timeseries.sqlite3": "old timeseries.sqlite3",
    "before/timeseries.sqlite3-wal": "log of timeseries.sqlite3",
    "heatmon.sqlite3": "new heatmon.sqlite3",
    "secret.key": "key",
    "timeseries.sqlite3": "new timeseries.sqlite3",
}


def test_the_new_files_are_in_place_the_old_ones_with_their_logs_beside_and_the_keys_stay(
    tmp_path: Path,
) -> None:
    pending(tmp_path)
    finish_restore(tmp_path)
    assert contents(tmp_path) == DONE


class Killed(BaseException):
    """As SIGKILL: nothing after it is done."""


@pytest.mark.parametrize("moves", range(6))
def test_killed_after_any_move_the_next_start_ends_in_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    pending(tmp_path)
    real, left = os.replace, [moves]

    def replace(source: Path, target: Path) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replace)
        with pytest.raises(Killed):
            finish_restore(tmp_path)
    finish_restore(tmp_path)
    assert contents(tmp_path) == DONE


def test_without_anything_pending_nothing_is_touched(tmp_path: Path) -> None:
    (tmp_path / "heatmon.sqlite3").write_text("old")
    finish_restore(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["heatmon.sqlite3"]
