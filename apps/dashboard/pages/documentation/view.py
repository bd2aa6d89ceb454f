"""``/documentation``: the project's own documents, readable where heatmon runs, also without the internet."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from . import rendering
from .library import DECISIONS, PICTURE_TYPES, Library, title_of


@require_safe
def contents(request: HttpRequest) -> HttpResponse:
    """List all documents by their titles."""
    titles = _titles(Library(settings.BASE_DIR))
    context = {
        "documents": [(name, title) for name, title in titles if not name.startswith(DECISIONS)],
        "decisions": [(name, title) for name, title in titles if name.startswith(DECISIONS)],
    }
    return render(request, "dashboard/documentation.html", context)


@require_safe
def document(request: HttpRequest, name: str) -> HttpResponse:
    """Show one document as a page beside the list of all, or one picture."""
    library = Library(settings.BASE_DIR)
    if name in library.pictures:
        path = library.pictures[name]
        return HttpResponse(path.read_bytes(), content_type=PICTURE_TYPES[path.suffix])
    if name not in library.documents:
        raise Http404(name)

    def address(link: str) -> str | None:
        if urlsplit(link).scheme:
            return link
        target = library.target(name, link)
        return None if target is None else _address_of(target)

    path = library.documents[name]
    rendered = rendering.render(path.read_text(encoding="utf-8"), address)
    context = {
        "name": name,
        "title": rendered.title or title_of(path),
        "html": rendered.html,
        "sections": [heading for heading in rendered.headings if heading.level == 2],
        "documents": [(each, title) for each, title in _titles(library) if not each.startswith(DECISIONS)],
        "is_decision": name.startswith(DECISIONS),
    }
    return render(request, "dashboard/document.html", context)


def _titles(library: Library) -> list[tuple[str, str]]:
    return [(name, title_of(path)) for name, path in library.documents.items()]


def _address_of(target: str) -> str:
    name, hash_sign, fragment = target.partition("#")
    page = reverse("dashboard:document", args=[name]) if name else reverse("dashboard:documentation")
    return page + hash_sign + fragment
