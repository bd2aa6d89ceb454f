"""The project's own documents, readable where heatmon runs, also without the internet."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


def documents() -> dict[str, Path]:
    """Name in the address → file; empty where an installation has left the documents out."""
    root = Path(settings.BASE_DIR)
    files = [root / "README.md", root / "CHANGELOG.md", *sorted((root / "docs").glob("*.md"))]
    return {path.stem.lower(): path for path in files if path.is_file()}


def title_of(path: Path) -> str:
    """The first heading, else the file's name."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("# "):
                return line[2:].strip()
    return path.stem


@require_safe
def documentation(request: HttpRequest, name: str = "readme") -> HttpResponse:
    """One document as it is written, beside the list of all."""
    found = documents()
    if name not in found:
        raise Http404(name)
    context = {
        "titles": [(each, title_of(path), each == name) for each, path in found.items()],
        "title": title_of(found[name]),
        "text": found[name].read_text(encoding="utf-8"),
    }
    return render(request, "dashboard/documentation.html", context)
