"""Writes requirements.lock and requirements-dev.lock: the pins with the hashes of their files.

    make lock

pip-tools, in an environment of its own, asks the index for the hashes of all files of a version: for both
architectures of the image, and each version of Python. It takes minutes, and is needed after a pin has
changed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"requirements.txt": "requirements.lock", "requirements-dev.txt": "requirements-dev.lock"}
PIP_TOOLS = "pip-tools==7.6.2"
HEAD = "# Made by make lock from {}: installed with --require-hashes.\n"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z]+\])?==(\S+)")
_LOCKED = re.compile(r"^(\S+)==(\S+) \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    """Return name → version of a requirements file, names as the index writes them."""
    found = (_PIN.match(line) for line in text.splitlines())
    return {plain(match[1]): match[2] for match in found if match}


def locked(text: str) -> dict[str, tuple[str, str]]:
    """Return name → version and lines of hashes of a lock."""
    return {plain(name): (version, hashes) for name, version, hashes in _LOCKED.findall(text)}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_text(source: str, wanted: Mapping[str, str], known: Mapping[str, tuple[str, str]]) -> str:
    """Return the lock of ``wanted``. Raises KeyError for a pin without hashes."""
    lines = [f"{name}=={version} \\\n{known[name][1]}" for name, version in sorted(wanted.items())]
    return HEAD.format(source) + "".join(lines)


def _with_hashes(requirements: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(f"{folder}/venv", with_pip=True)
        source = Path(folder, "all.in")
        source.write_text(requirements, encoding="utf-8")
        subprocess.run([f"{folder}/venv/bin/pip", "install", "--quiet", PIP_TOOLS], check=True)
        options = ("--generate-hashes", "--no-annotate", "--no-header", "--allow-unsafe", "--strip-extras")
        out = f"{folder}/all.out"
        subprocess.run([f"{folder}/venv/bin/pip-compile", "-q", *options, "-o", out, str(source)], check=True)
        return Path(out).read_text(encoding="utf-8")


def main() -> int:
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in LOCKS}
    together = "\n".join(texts.values()).replace("-r requirements.txt\n", "")
    known = locked(_with_hashes(together))
    needed: dict[str, str] = {}
    for name, lock in LOCKS.items():
        needed |= pins(texts[name])  # the second file adds to the first
        (ROOT / lock).write_text(lock_text(name, needed, known), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
