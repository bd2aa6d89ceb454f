"""Static files at home: compressed as in the image, where they are collected beforehand."""

from __future__ import annotations

import gzip
import logging
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

log = logging.getLogger(__name__)

COMPRESSED = {".css", ".js", ".svg"}
LEAST_BYTES = 1000
OF_PAGES = ("vendor/", "css/", "js/", "django_htmx/", "icons.svg")
"""What pages ask for; the admin and the API's page send their files as they lie."""


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise that keeps a compressed copy of each file of the pages in ``STATIC_ROOT`` where none were
    collected. The ETag stays that of the file itself, so that a browser's question is answered with 304."""

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        found = super().get_static_file(path, url, stat_cache)
        name = url.removeprefix(self.static_prefix)
        if not self.use_finders or not name.startswith(OF_PAGES) or Path(name).suffix not in COMPRESSED:
            return found
        copy = compressed_copy(Path(path), Path(settings.STATIC_ROOT, f"{name}.gz"))
        if copy is None:
            return found
        _identity, _path, headers = found.alternatives[-1]
        return StaticFile(path, headers, encodings={"gzip": str(copy)})


def compressed_copy(source: Path, copy: Path) -> Path | None:
    """Return the compressed copy of a file, made where it is missing or another version's; None for a file
    too small to gain from it, or where it cannot be written."""
    facts = source.stat()
    if facts.st_size < LEAST_BYTES:
        return None
    try:
        if not copy.exists() or copy.stat().st_mtime_ns != facts.st_mtime_ns:
            copy.parent.mkdir(parents=True, exist_ok=True)
            unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
            unfinished.write_bytes(gzip.compress(source.read_bytes(), mtime=0))
            os.utime(unfinished, ns=(facts.st_mtime_ns, facts.st_mtime_ns))
            unfinished.replace(copy)
    except OSError as fault:
        log.warning("%s is sent uncompressed: %s", source.name, fault)
        return None
    return copy
