"""Compare the shipped files of others with static/vendor/vendor.toml, and with npm where asked.

python tools/vendor_check.py          every file is listed, unchanged and has its licence beside it
python tools/vendor_check.py --npm    the packages are fetched again and compared too (network)
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("static/vendor", "tests/vendor")
Package = Mapping[str, str]


def listed(root: Path, kind: str = "package") -> list[Package]:
    """Return the packages of vendor.toml, or its data."""
    text = (root / "static/vendor/vendor.toml").read_text(encoding="utf-8")
    packages: list[Package] = tomllib.loads(text)[kind]
    return packages


def faults_of_file(root: Path, package: Package) -> list[str]:
    """Return what is wrong with one shipped file; empty when nothing."""
    path = root / package["path"]
    if not path.is_file():
        return [f"{package['path']}: missing"]
    faults = []
    if hashlib.sha256(path.read_bytes()).hexdigest() != package["sha256"]:
        faults.append(f"{package['path']}: changed; its sha256 is not the listed one")
    if path.parent.name != f"{package['name']}-{package['version']}":
        faults.append(f"{package['path']}: the folder does not name {package['name']} {package['version']}")
    if not (path.parent / "LICENSE").is_file():
        faults.append(f"{package['path']}: no LICENSE beside it")
    return faults


def unlisted(root: Path, packages: list[Package]) -> list[str]:
    """Return the scripts in the vendor folders that vendor.toml does not name."""
    known = {package["path"] for package in packages}
    found = {
        path.relative_to(root).as_posix() for folder in FOLDERS for path in (root / folder).rglob("*.js")
    }
    return [f"{path}: not listed in vendor.toml" for path in sorted(found - known)]


def faults_against_npm(root: Path, package: Package, folder: Path) -> list[str]:
    """Fetch the package with npm and compare its checksum and the file in it."""
    wanted = f"{package['name']}@{package['version']}"
    run = subprocess.run(
        ["npm", "pack", "--silent", wanted], cwd=folder, capture_output=True, text=True, check=False
    )
    if run.returncode:
        return [f"{wanted}: npm could not fetch it: {run.stderr.strip().splitlines()[-1:]}"]
    archive = folder / run.stdout.strip().splitlines()[-1]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package["integrity"]:
        return [f"{wanted}: the package of the registry is not the listed one"]
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"package/{package['source']}")
        content = member.read() if member else b""
    if without_map(content) != (root / package["path"]).read_bytes():
        return [f"{package['path']}: differs from {package['source']} in {wanted}"]
    return []


def without_map(content: bytes) -> bytes:
    """Return a script without its closing sourceMappingURL comment."""
    lines = content.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(b"//# sourceMappingURL="))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--npm", action="store_true", help="compare with the packages of the npm registry too"
    )
    options = parser.parse_args(arguments)
    packages = listed(ROOT)
    data = listed(ROOT, "data")
    faults = [fault for package in (*packages, *data) for fault in faults_of_file(ROOT, package)]
    faults += unlisted(ROOT, packages)
    if options.npm:
        with tempfile.TemporaryDirectory() as folder:
            for package in packages:
                faults += faults_against_npm(ROOT, package, Path(folder))
    for fault in faults:
        sys.stderr.write(fault + "\n")
    sys.stdout.write(f"{len(packages)} packages, {len(data)} file of data, {len(faults)} faults\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
