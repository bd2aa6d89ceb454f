"""Shipped files of others are what vendor.toml says, and nothing else is loaded from anywhere."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tools import vendor_check

ROOT = Path(__file__).resolve().parents[2]


def copy_of_vendor(folder: Path) -> Path:
    for part in vendor_check.FOLDERS:
        shutil.copytree(ROOT / part, folder / part)
    return folder


def test_every_shipped_file_is_listed_and_unchanged() -> None:
    assert vendor_check.main([]) == 0


def test_a_changed_file_is_found(tmp_path: Path) -> None:
    root = copy_of_vendor(tmp_path)
    package = vendor_check.listed(root)[0]
    path = root / package["path"]
    path.write_bytes(path.read_bytes() + b" ")
    assert "its sha256 is not the listed one" in vendor_check.faults_of_file(root, package)[0]


def test_a_file_without_licence_and_one_that_nobody_listed_are_found(tmp_path: Path) -> None:
    root = copy_of_vendor(tmp_path)
    packages = vendor_check.listed(root)
    (root / packages[0]["path"]).with_name("LICENSE").unlink()
    stray = root / "static/vendor/stray-1.0/stray.js"
    stray.parent.mkdir()
    stray.write_text("")
    assert vendor_check.faults_of_file(root, packages[0]) == [f"{packages[0]['path']}: no LICENSE beside it"]
    assert vendor_check.unlisted(root, packages) == [
        "static/vendor/stray-1.0/stray.js: not listed in vendor.toml"
    ]


def test_templates_load_nothing_from_elsewhere_and_carry_no_inline_code() -> None:
    faults = []
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if re.search(r"""(src|href)=["']?(https?:)?//""", text) and 'rel="noreferrer' not in text:
            faults.append(f"{path.name}: asks elsewhere")
        if re.search(r"\sstyle=|\son[a-z]+=|<script(?![^>]*\bsrc=)|<style", text):
            faults.append(f"{path.name}: inline style or script")
    assert faults == []
