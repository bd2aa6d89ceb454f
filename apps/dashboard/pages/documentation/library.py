"""Which documents and pictures heatmon shows: those in ``docs/``, and the texts beside it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

BESIDE = ("CONTRIBUTING.md", "CHANGELOG.md", "LICENSE")
PICTURE_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
DECISIONS = "decisions/"


@dataclass(frozen=True)
class Library:
    """The documents of an installation in ``root``, and where a link from one to another leads."""

    root: Path

    @cached_property
    def documents(self) -> Mapping[str, Path]:
        """Name in the address → file; empty where an installation has left the documents out."""
        beside = [self.root / name for name in BESIDE]
        files = [self.root / "README.md", *sorted((self.root / "docs").rglob("*.md")), *beside]
        return {self._name(path): path for path in files if path.is_file()}

    @cached_property
    def pictures(self) -> Mapping[str, Path]:
        """Name in the address, like ``screenshots/energy-light.png`` → file."""
        folder = self.root / "docs"
        files = (path for path in sorted(folder.rglob("*")) if path.suffix in PICTURE_TYPES)
        return {path.relative_to(folder).as_posix(): path for path in files}

    def target(self, document: str, link: str) -> str | None:
        """Return what a relative ``link`` in ``document`` means: a name, with its ``#fragment``; an empty
        name is the list of all documents. None: nothing that heatmon shows."""
        parts = urlsplit(link)
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        if not parts.path:
            return document + fragment
        here = self.documents[document].parent.relative_to(self.root).as_posix()
        path = self.root / posixpath.normpath(posixpath.join(here, unquote(parts.path)))
        if path == self.root / "docs" / "decisions":
            return "#decisions"
        for names in (self.documents, self.pictures):
            found = next((name for name, file in names.items() if file == path), None)
            if found is not None:
                return found + fragment
        return None

    def _name(self, path: Path) -> str:
        folder = self.root / "docs" if path.is_relative_to(self.root / "docs") else self.root
        return path.relative_to(folder).with_suffix("").as_posix().lower()


def title_of(path: Path) -> str:
    """Return the first heading as plain text, else the file's name."""
    with path.open(encoding="utf-8") as lines:
        heading = next((line[2:] for line in lines if line.startswith("# ")), path.stem.capitalize())
    return heading.replace("`", "").strip()
