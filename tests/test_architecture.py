"""The direction of imports and the purity of the modules that promise it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# An app may import itself and what stands to its right.
MAY_IMPORT = {
    "devices": {"devices"},
    "metrics": {"metrics", "devices"},
    "changelog": {"changelog", "metrics", "devices"},
    "effects": {"effects", "changelog", "metrics", "devices"},
    "accounts": {"accounts", "devices"},
    "alerts": {"alerts", "backups", "effects", "changelog", "metrics", "devices"},
    "backups": {"backups", "changelog", "metrics", "devices"},
    "dashboard": {"dashboard", "alerts", "backups", "accounts", "effects", "changelog", "metrics", "devices"},
    "api": {
        "api",
        "dashboard",
        "alerts",
        "backups",
        "accounts",
        "effects",
        "changelog",
        "metrics",
        "devices",
    },
    "simulator": {"simulator"},
}
# What the simulator may be used by: the demo, and the commands simulate and simulated_devices.
MAY_USE_SIMULATOR = {
    "heatmon/demo/devices.py",
    "heatmon/demo/house.py",
    "heatmon/demo/maker.py",
    "heatmon/demo/rows.py",
    "heatmon/management/commands/simulated_devices.py",
    "heatmon/simulated.py",
    "heatmon/simulation.py",
    "heatmon/simulation_truth.py",
}

MAY_USE_NUMPY = {"apps/metrics/estimate.py", "apps/effects/estimator.py", "apps/effects/household.py"}
# Modules of the standard library that reach the network, files, the clock or chance.
IMPURE = {
    "asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil",
    "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib.request", "uuid",
}  # fmt: skip
# Chance that comes in as a seed is an argument like others.
SEEDED = {"random", "random.Random"}
CLOCK_CALLS = {"now", "utcnow", "today", "time", "monotonic"}


def modules(folder: str) -> Iterator[Path]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path


def pure_modules() -> list[str]:
    """Modules whose docstring promises with ◇ in its first line that they are pure."""
    return [
        str(path.relative_to(ROOT))
        for folder in ("apps", "heatmon")
        for path in modules(folder)
        if "◇" in path.read_text(encoding="utf-8").partition("\n")[0]
    ]


def imported(path: Path) -> Iterator[str]:
    """Absolute names of everything that a module imports, at any depth."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("app", sorted(MAY_IMPORT))
def test_an_app_imports_only_what_the_flow_of_data_allows(app: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(f"apps/{app}")
        for name in imported(path)
        if name.startswith("apps.") and name.split(".")[1] not in MAY_IMPORT[app]
    ]
    assert wrong == []


def test_no_app_imports_the_wiring() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("apps")
        for name in imported(path)
        if name == "heatmon" or name.startswith("heatmon.")
    ]
    assert wrong == []


def test_apps_never_import_celery() -> None:
    users = [str(path) for path in modules("apps") if "celery" in {n.split(".")[0] for n in imported(path)}]
    assert users == []


def test_only_the_demo_and_simulate_use_the_simulator() -> None:
    users = {
        str(path.relative_to(ROOT))
        for folder in ("apps", "heatmon")
        for path in modules(folder)
        if "simulator" not in path.parts
        for name in imported(path)
        if name.startswith("apps.simulator")
    }
    assert users <= MAY_USE_SIMULATOR


PURE = pure_modules()
MUST_BE_PURE = (
    {
        f"apps/metrics/{name}.py"
        for name in (
            "climate",
            "cop",
            "cycles",
            "energy",
            "estimate",
            "heat",
            "intervals",
            "running",
            "windows",
        )
    }
    | {
        f"apps/effects/{name}.py"
        for name in (
            "advice",
            "alternating",
            "estimator",
            "expected",
            "fortnights",
            "null",
            "samples",
            "signs",
            "targets",
            "verdicts",
        )
    }
    | {
        "apps/alerts/rules.py",
        "apps/backups/rotation.py",
        "apps/changelog/diff.py",
        "apps/devices/readings.py",
        "heatmon/schedule.py",
    }
)


def test_physics_calendar_detection_and_statistics_promise_to_be_pure() -> None:
    assert set(PURE) >= MUST_BE_PURE


def test_brands_are_named_only_where_sources_are_opened_and_files_are_imported() -> None:
    """A new brand of meter or heat pump touches no job."""
    users = {
        str(path.relative_to(ROOT))
        for path in modules("heatmon")
        for name in imported(path)
        if name.startswith(("apps.devices.shelly", "apps.devices.viessmann"))
    }
    assert users <= {
        "heatmon/answer_import.py",
        "heatmon/management/commands/import_meter.py",
    }


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_imports_only_the_standard_library_and_other_pure_modules(module: str) -> None:
    path = ROOT / module
    pure_names = {pure.removesuffix(".py").replace("/", ".") for pure in PURE}
    wrong = []
    for name in imported(path):
        top = name.split(".")[0]
        known = name in pure_names or any(name.startswith(f"{pure}.") for pure in pure_names)
        parent_of_pure = any(pure.startswith(f"{name}.") for pure in pure_names)
        if top == "numpy" and module in MAY_USE_NUMPY:
            continue
        if top in sys.stdlib_module_names and (top not in IMPURE or name in SEEDED):
            continue
        if not known and not parent_of_pure:
            wrong.append(name)
    assert wrong == []


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_has_no_clock_and_opens_no_file(module: str) -> None:
    calls = [
        ast.unparse(node.func)
        for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    wrong = [call for call in calls if call == "open" or call.split(".")[-1] in CLOCK_CALLS and "." in call]
    assert [call for call in wrong if call.split(".")[0] in {"open", "datetime", "date", "time", "dt"}] == []


def test_modules_stay_small_enough_to_read() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("apps", "heatmon", "tests", "bench", "tools")
        for path in modules(folder)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > (500 if folder == "tests" else 450)
    }
    assert too_long == {}


# What a docstring that describes, instead of telling what to do, begins with.
DESCRIBING = {
    "A", "All", "An", "As", "At", "Each", "Every", "From", "Gives", "How", "In", "On", "One", "Returns",
    "Says", "Some", "Tells", "That", "The", "These", "This", "Those", "What", "When", "Where", "Whether",
    "Which", "Who", "Why", "With", "Without", "Writes", "Yields",
}  # fmt: skip


def test_docstrings_of_functions_begin_with_what_to_do() -> None:
    """They say what to do, "Return the minutes stored."; only a property may be a noun."""
    describing = [
        f"{path.relative_to(ROOT)}: {node.name}: {first}"
        for folder in ("apps", "heatmon", "bench", "tools")
        for path in modules(folder)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and not any("property" in ast.unparse(decorator) for decorator in node.decorator_list)
        and (first := (ast.get_docstring(node) or " ").partition(" ")[0]) in DESCRIBING
    ]
    assert describing == []
