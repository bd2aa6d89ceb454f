"""Writes docs/faults.md from the catalogue in tests/faults.py.

python -m tools.faults
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.faults import FAULTS, FaultCase

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "faults.md"
_HEAD = """# What heatmon survives

Each fault is made to happen by the tests named beside it, which assert what must hold. Most run with every
change (`make test`); those under `production/` use real processes (`make faults`, `make crashes`, `make
celery-test`). The simulator's faults have own names: `manage.py simulate --days 30 --faults all` lets
them all happen in a month, `make faults` each alone for a day; what was stored is compared with the truth.

Made by `python -m tools.faults` from `tests/faults.py`; a test compares both, and that each test is there.

| | what goes wrong | what holds | simulated as | tests | verdict |
|---|---|---|---|---|---|
"""


def document() -> str:
    """Return the text of docs/faults.md."""
    return _HEAD + "".join(f"{_row(code, fault)}\n" for code, fault in FAULTS.items())


def _row(code: str, fault: FaultCase) -> str:
    simulated = ", ".join(f"`{name}`" for name in fault.simulated) or "–"
    tests = "<br>".join(f"`{name}`" for name in fault.tests)
    return f"| {code} | {fault.title} | {fault.holds} | {simulated} | {tests} | held |"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{len(FAULTS)} faults in {DOCUMENT.name}\n")
