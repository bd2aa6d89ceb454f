"""The catalogue of faults is whole: every fault has its tests, and the document shows them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from heatmon.simulation import fault_names
from tests.faults import FAULTS
from tools.faults import DOCUMENT, document

TESTS = Path(__file__).resolve().parent
CODES = [
    *(f"M{number}" for number in range(1, 13)),
    *(f"C{number}" for number in range(1, 12)),
    *(f"S{number}" for number in range(1, 10)),
    *(f"P{number}" for number in range(1, 8)),
    *(f"T{number}" for number in range(1, 5)),
    "U1",
]


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_all_44_faults_are_there() -> None:
    assert list(FAULTS) == CODES
    assert len(CODES) == 44


@pytest.mark.parametrize("code", CODES)
def test_each_has_tests_that_exist(code: str) -> None:
    assert FAULTS[code].tests
    for test in FAULTS[code].tests:
        path, _colons, name = test.partition("::")
        assert name in functions(TESTS / path), test


def test_every_fault_of_the_simulator_belongs_to_one() -> None:
    simulated = [name for fault in FAULTS.values() for name in fault.simulated]
    assert sorted(simulated) == sorted(fault_names())


def test_the_document_is_made_from_the_catalogue() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run: python -m tools.faults"
