"""The one-time code of the first account."""

from __future__ import annotations

import stat
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apps.accounts.setup_code import TooManyTries, check_code, current_code, end_code

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_the_code_stays_the_same_until_it_ends(tmp_path: Path) -> None:
    code = current_code(tmp_path)
    assert len(code) == 14
    assert current_code(tmp_path) == code
    end_code(tmp_path)
    assert current_code(tmp_path) != code


def test_only_the_owner_of_the_process_can_read_the_file(tmp_path: Path) -> None:
    current_code(tmp_path)
    assert stat.S_IMODE((tmp_path / "setup-code.json").stat().st_mode) == 0o600
    assert list(tmp_path.glob("setup-code.json.*")) == []


def test_case_blanks_and_dashes_do_not_matter(tmp_path: Path) -> None:
    code = current_code(tmp_path)
    assert check_code(tmp_path, f" {code.lower().replace('-', ' ')} ", NOON)


def test_a_wrong_code_is_refused_and_after_five_even_the_right_one_waits(tmp_path: Path) -> None:
    code = current_code(tmp_path)
    for _ in range(5):
        assert not check_code(tmp_path, "AAAA-AAAA-AAAA", NOON)
    with pytest.raises(TooManyTries) as refused:
        check_code(tmp_path, code, NOON + timedelta(seconds=59))
    assert refused.value.retry_at == NOON + timedelta(minutes=1)
    assert check_code(tmp_path, code, NOON + timedelta(seconds=61))


def test_each_further_wrong_code_doubles_the_wait(tmp_path: Path) -> None:
    current_code(tmp_path)
    for _ in range(5):
        check_code(tmp_path, "wrong", NOON)
    check_code(tmp_path, "wrong", NOON + timedelta(minutes=1))
    with pytest.raises(TooManyTries) as refused:
        check_code(tmp_path, "wrong", NOON + timedelta(minutes=2))
    assert refused.value.retry_at == NOON + timedelta(minutes=3)


def test_a_file_cut_off_by_a_crash_gives_a_new_code(tmp_path: Path) -> None:
    (tmp_path / "setup-code.json").write_text('{"code": "ABCD')
    assert len(current_code(tmp_path)) == 14


def test_tries_at_the_same_moment_are_all_counted(tmp_path: Path) -> None:
    current_code(tmp_path)
    together = threading.Barrier(12)

    def guess(_number: int) -> str:
        together.wait(10)
        try:
            return "looked at" if not check_code(tmp_path, "AAAA", NOON) else "right"
        except TooManyTries:
            return "refused"

    with ThreadPoolExecutor(12) as people:
        answers = Counter(people.map(guess, range(12)))
    assert answers == {"looked at": 5, "refused": 7}
