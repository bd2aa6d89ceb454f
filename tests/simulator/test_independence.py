"""The simulator must not share code with what it is there to test."""

from __future__ import annotations

import ast
from pathlib import Path

import apps.simulator

FOLDER = Path(apps.simulator.__file__).parent


def test_the_simulator_imports_nothing_of_the_apps_under_test() -> None:
    wrong = []
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level <= 1, f"{path.name} reaches out of its folder"
                names = [node.module or ""] if node.level == 0 else []
            wrong += [f"{path.name}: {name}" for name in names if name.startswith(("apps.", "heatmon"))]
    assert wrong == []
