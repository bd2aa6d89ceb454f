"""Commands in the documents are there and take what the documents give them; limits are those of the compose
file. ``tests/production`` runs the commands of docs/production.md."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"^```\w*\n(.*?)^```|`([^`]+)`", re.MULTILINE | re.DOTALL)


def code() -> Iterator[tuple[str, str]]:
    """Every line of code in a document, with the document's name. Spans may be broken over two lines."""
    for path in DOCUMENTS:
        for block, span in CODE.findall(path.read_text(encoding="utf-8")):
            for line in block.splitlines() or [" ".join(span.split())]:
                yield path.name, line


def found(pattern: str) -> list[tuple[str, ...]]:
    return sorted({(name, *match) for name, line in code() for match in re.findall(pattern, line)})


def test_every_make_target_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = found(r"(?:^|\s)make ([a-z][a-z-]*)()")
    assert len(named) > 10
    assert [each for each in named if each[1] not in targets] == []


def test_every_module_that_is_run_is_there() -> None:
    named = [each for each in found(r"python -m ([a-z_.]+)()") if each[1] not in {"pip", "venv"}]
    assert len(named) > 2
    assert [each for each in named if importlib.util.find_spec(each[1]) is None] == []


@pytest.mark.parametrize(
    ("document", "command", "arguments"),
    found(r"(?:manage\.py|docker compose run(?: -\S+)* web) ([a-z_]+)((?: [^|>&;)\s]+)*)"),
)
def test_every_command_takes_its_arguments(document: str, command: str, arguments: str) -> None:
    app = get_commands()[command]
    parser = load_command_class(app, command).create_parser("manage.py", command)
    parser.exit_on_error = False
    given = [word for word in shlex.split(arguments) if word not in {"…", "..."}]
    numbers = {"DAYS": "1", "N": "1"}
    parser.parse_args([numbers.get(word, word) for word in given])


def test_the_limits_of_memory_are_those_of_the_compose_file() -> None:
    limits: dict[str, int] = {}
    service = ""
    for line in (ROOT / "docker-compose.yml").read_text(encoding="utf-8").splitlines():
        if name := re.fullmatch(r"  ([a-z]+):", line):
            service = name[1]
        elif limit := re.fullmatch(r"    mem_limit: (\d+)([mg])", line):
            limits[service] = int(limit[1]) * {"m": 1, "g": 1024}[limit[2]]
    text = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
    told = {
        name: int(limit) for name, limit in re.findall(r"^\| (\w+) \| .* \| (\d+) \|$", text, re.MULTILINE)
    }
    assert told == {name: limits[name] for name in ("worker", "web", "beat", "influxdb", "redis")}
