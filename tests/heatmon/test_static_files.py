"""Static files at home: compressed once, kept in the data directory, asked for again with their ETag."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from django.test import Client

from heatmon.static_files import compressed_copy

ROOT = Path(__file__).resolve().parents[2]


def body(answer: object) -> bytes:
    return b"".join(getattr(answer, "streaming_content"))  # noqa: B009


@pytest.mark.parametrize(
    "name", ["css/style.css", "js/charts.js", "icons.svg", "vendor/chart.js-4.6.1/chart.umd.min.js"]
)
def test_what_pages_ask_for_comes_compressed_and_is_not_sent_twice(client: Client, name: str) -> None:
    as_it_lies = client.get(f"/static/{name}", HTTP_ACCEPT_ENCODING="identity")
    answer = client.get(f"/static/{name}", HTTP_ACCEPT_ENCODING="gzip, br")
    assert answer["Content-Encoding"] == "gzip" and answer["Vary"] == "Accept-Encoding"
    packed = body(answer)
    assert int(answer["Content-Length"]) == len(packed) < int(as_it_lies["Content-Length"]) / 2
    assert gzip.decompress(packed) == body(as_it_lies) == (ROOT / "static" / name).read_bytes()
    assert answer["ETag"] == as_it_lies["ETag"]
    again = client.get(f"/static/{name}", HTTP_ACCEPT_ENCODING="gzip", HTTP_IF_NONE_MATCH=answer["ETag"])
    assert again.status_code == 304


def test_a_newer_version_of_a_file_is_compressed_anew(tmp_path: Path) -> None:
    source, copy = tmp_path / "style.css", tmp_path / "kept" / "style.css.gz"
    source.write_text("a" * 2000)
    assert compressed_copy(source, copy) == copy
    source.write_text("b" * 2000)
    os.utime(source, ns=(1, 1))
    assert compressed_copy(source, copy) == copy
    assert gzip.decompress(copy.read_bytes()) == b"b" * 2000
    assert [path.name for path in copy.parent.iterdir()] == ["style.css.gz"]


def test_a_small_file_is_sent_as_it_lies(tmp_path: Path) -> None:
    source = tmp_path / "theme.js"
    source.write_text("a" * 999)
    assert compressed_copy(source, tmp_path / "theme.js.gz") is None


def test_where_no_copy_can_be_written_the_file_is_sent_as_it_lies(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "style.css"
    source.write_text("a" * 2000)
    assert compressed_copy(source, source / "style.css.gz") is None
    assert "style.css is sent uncompressed" in caplog.text
