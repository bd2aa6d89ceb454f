"""What is installed is pinned, and each file of it is known by its hash."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.lock import LOCKS, locked, pins

ROOT = Path(__file__).resolve().parents[1]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LOCKS)
def test_each_requirement_is_an_exact_pin(name: str) -> None:
    lines = [line.partition("#")[0].strip() for line in read(name).splitlines()]
    assert [line for line in lines if line and line != "-r requirements.txt" and "==" not in line] == []


def test_the_locks_have_the_pins_and_a_hash_for_each() -> None:
    run, dev = pins(read("requirements.txt")), pins(read("requirements-dev.txt"))
    for lock, wanted in (("requirements.lock", run), ("requirements-dev.lock", run | dev)):
        assert {name: version for name, (version, _hashes) in locked(read(lock)).items()} == wanted


@pytest.mark.parametrize("name", ["Makefile", "Dockerfile"])
def test_whatever_installs_or_downloads_requirements_asks_for_the_hashes(name: str) -> None:
    text = read(name).replace("\\\n", " ")
    commands = [line for line in text.splitlines() if re.search(r"pip (install|download)", line)]
    assert commands
    assert [line for line in commands if "--require-hashes" not in line] == []
    assert "-r requirements.txt" not in text
