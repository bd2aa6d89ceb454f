"""docs/security.md names a test for each protection, make mutants one for each that it takes away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[1]
TABLE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_there_is_a_row_for_each_protection() -> None:
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", TABLE, re.MULTILINE)]
    assert numbers == list(range(1, 33))


def exists(test: str) -> bool:
    file, _colons, name = test.partition("::")
    function = name.partition("[")[0]
    path = ROOT / file
    return path.is_file() and f"def {function}(" in path.read_text(encoding="utf-8")


def test_every_test_that_the_table_names_exists() -> None:
    rows = [line for line in TABLE.splitlines() if re.match(r"\| \d+ \|", line)]
    named = [re.findall(r"`(tests/[^`]+)`", row) for row in rows]
    assert all(named)
    assert [test for tests in named for test in tests if not exists(test)] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_protection_stands_where_its_mutant_looks_for_it(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.there) == 1
    assert exists(mutant.test)
