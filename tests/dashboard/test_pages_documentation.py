"""The documents are pages where heatmon runs, and every link and picture in them leads somewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.test import Client
from django.test.utils import override_script_prefix

from apps.dashboard.pages.documentation.library import Library, title_of
from apps.dashboard.pages.documentation.rendering import Heading, render

pytestmark = pytest.mark.django_db

LIBRARY = Library(Path(settings.BASE_DIR))
DOCUMENTS = sorted(LIBRARY.documents)


class Page(HTMLParser):
    """The ids of a page, and where its links and pictures lead."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.leads_to: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif (tag, name) in {("a", "href"), ("img", "src")} and value:
                self.leads_to.append(value)


def as_it_is(link: str) -> str:
    return link


# ---------- the pages ----------


def test_the_documents_are_those_of_docs_with_decisions_and_the_texts_beside_it() -> None:
    assert {"readme", "changelog", "contributing", "license", "numbers", "glossary"} <= set(DOCUMENTS)
    assert "decisions/0001-one-flow-of-data" in DOCUMENTS


def test_the_contents_list_every_document_by_its_title(reader: Client) -> None:
    page = reader.get("/documentation").content.decode()
    assert {f"/documentation/{name}" for name in DOCUMENTS} <= set(Page(page).leads_to)
    assert ">How the numbers are made</a>" in page
    assert ">1. One flow of data</a>" in page


def test_every_decision_bears_its_number_in_the_list() -> None:
    for name, path in LIBRARY.documents.items():
        if name.startswith("decisions/"):
            assert title_of(path).startswith(f"{int(name[10:14])}. "), name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_and_picture_of_a_document_resolves(reader: Client, name: str) -> None:
    answer = reader.get(f"/documentation/{name}")
    assert answer.status_code == 200
    article = re.search(r"<article.*</article>", answer.content.decode(), re.S)
    assert article is not None
    for link in Page(article[0]).leads_to:
        if link.startswith(("http://", "https://")):
            continue
        address, _hash, fragment = link.partition("#")
        found = reader.get(address) if address else answer
        assert found.status_code == 200, link
        assert not fragment or fragment in Page(found.content.decode()).ids, link


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_relative_link_of_a_document_is_dropped(name: str) -> None:
    dropped = []

    def address(link: str) -> str | None:
        if "://" not in link and LIBRARY.target(name, link) is None:
            dropped.append(link)
        return link

    render(LIBRARY.documents[name].read_text(encoding="utf-8"), address)
    assert dropped == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_needs_neither_inline_style_nor_script(reader: Client, name: str) -> None:
    article = reader.get(f"/documentation/{name}").content.decode().partition("<article")[2]
    assert not re.search(r"<[^>]+ style=", article)
    assert "<script" not in article
    assert "&lt;!--" not in article


def test_a_picture_comes_as_what_it_is(reader: Client) -> None:
    answer = reader.get("/documentation/screenshots/overview-light.png")
    assert answer["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "name",
    [
        "settings",
        "readme.md",
        "numbers.md",
        "decisions",
        "screenshots",
        "..%2Fmanage",
        "../manage.py",
        "screenshots/../../manage.py",
        "screenshots/%2e%2e/%2e%2e/pyproject.toml",
        "/etc/passwd",
    ],
)
def test_nothing_else_is_handed_out(reader: Client, name: str) -> None:
    assert reader.get(f"/documentation/{name}").status_code == 404


def test_links_keep_the_sub_path_of_a_proxy(reader: Client) -> None:
    with override_script_prefix("/heat/"):
        page = reader.get("/documentation/numbers").content.decode()
    assert 'href="/heat/documentation/study"' in page


def test_outside_the_demo_documents_ask_for_the_login_like_every_page(
    client: Client, settings: LazySettings
) -> None:
    settings.DEMO = False
    assert client.get("/documentation/numbers").status_code == 302


def test_an_installation_without_documents_says_only_that(
    reader: Client, settings: LazySettings, tmp_path: Path
) -> None:
    settings.BASE_DIR = tmp_path
    assert reader.get("/documentation").status_code == 200
    assert reader.get("/documentation/readme").status_code == 404


def test_the_image_holds_every_document_and_picture() -> None:
    root = LIBRARY.root
    lines = (root / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = {name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]}
    left_out = (root / ".dockerignore").read_text(encoding="utf-8").split()
    shown = {
        path.relative_to(root).parts[0] for path in (*LIBRARY.documents.values(), *LIBRARY.pictures.values())
    }
    assert shown <= copied
    assert not shown & set(left_out)


def test_the_foot_of_every_page_leads_there(reader: Client) -> None:
    assert 'href="/documentation"' in reader.get("/documentation/options").content.decode()


# ---------- Markdown ----------


def test_the_first_heading_is_the_title_and_the_others_have_the_anchors_of_github() -> None:
    page = render("# Title\n\n## COP and `JAZ`\n\n### Twice\n\n### Twice\n", as_it_is)
    assert page.title == "Title"
    assert page.headings == [
        Heading(level=2, anchor="cop-and-jaz", text="COP and JAZ"),
        Heading(level=3, anchor="twice", text="Twice"),
        Heading(level=3, anchor="twice-1", text="Twice"),
    ]
    assert page.html.startswith('<h2 id="cop-and-jaz">COP and <code>JAZ</code><a class="anchor"')


def test_raw_html_stays_text_and_links_cannot_run_anything() -> None:
    page = render('<script>alert(1)</script> <b onclick="x">b</b> [x](javascript:alert(1))', as_it_is)
    assert "<script" not in page.html
    assert "<b" not in page.html
    assert "href" not in page.html


def test_marks_of_commands_are_not_shown() -> None:
    assert render("<!-- years -->\ntext\n<!-- /years -->\n", as_it_is).html == "<p>text</p>\n"


def test_a_link_that_leads_nowhere_here_leaves_its_text_and_a_picture_its_words() -> None:
    page = render("[the unit](../contrib/unit) ![A view](view.png)", lambda _link: None)
    assert page.html == "<p>the unit A view</p>\n"


def test_pictures_of_other_servers_are_not_fetched() -> None:
    assert "<img" not in render("![badge](https://badges.example/x.svg)", as_it_is).html


def test_numbers_stand_to_the_right_by_a_class() -> None:
    assert '<td class="r">1</td>' in render("| a |\n| ---: |\n| 1 |\n", as_it_is).html
