"""Towns by name, from a list that heatmon brings along: nothing is looked up on the internet.

The list is GeoNames' (CC BY 4.0), made by ``tools/places.py``: a line a place, the biggest first,
``|key|key;name;German name;country;near;latitude;longitude``. Keys are folded names.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "data" / "geonames-3.0.2" / "places.csv.gz"
MOST = 8
LONGEST_QUERY = 60

_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "a", "œ": "o", "ı": "i"}
)
# As typed on a keyboard without umlauts; folded on both sides, so that it does no harm elsewhere.
_UMLAUTS = re.compile("([aou])e")
_NO_LETTER = re.compile(r"[^\w]+|_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place with its coordinates [°], to 0.01° (about a kilometre). ``country`` is the code of ISO 3166;
    ``near`` names a bigger town where the country has several of that name."""

    name: str
    german_name: str
    country: str
    near: str
    latitude: float
    longitude: float

    def called(self, language: str) -> str:
        """Return the name with what tells it apart, as readers of ``language`` know it."""
        name = self.german_name if language.startswith("de") and self.german_name else self.name
        return f"{name} ({self.near}), {self.country}" if self.near else f"{name}, {self.country}"


def folded(name: str) -> str:
    """Return a name as it is compared: no case, accents, umlauts or punctuation."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return _UMLAUTS.sub(r"\1", _NO_LETTER.sub(" ", letters).strip())


def places_named(query: str, most: int = MOST) -> list[Place]:
    """Return the places called ``query``, then those whose name begins so, those with another name, and those
    with a later word that does; the biggest of each first. A country's code may follow a comma."""
    town, _comma, country = query[:LONGEST_QUERY].partition(",")
    wanted = folded(town.partition("(")[0]).encode()
    code = country.strip().upper()
    if len(wanted) < 2:
        return []
    text = b"\n" + gzip.decompress(FILE.read_bytes())
    found: dict[bytes, Place] = {}
    for begin, end in ((b"|", b"|"), (b"|", b";"), (b"\n|", b""), (b"|", b""), (b" ", b"")):
        for line in _lines_with(text, begin + wanted + end):
            place = _place(line)
            if not code or place.country.startswith(code):
                found.setdefault(line, place)
            if len(found) == most:
                return list(found.values())
    return list(found.values())


def place_at(latitude: float, longitude: float) -> Place | None:
    """Return the biggest place of the list with exactly these coordinates."""
    text = gzip.decompress(FILE.read_bytes())
    end = f";{latitude:.2f};{longitude:.2f}\n".encode()
    at = text.find(end)
    return None if at < 0 else _place(text[text.rfind(b"\n", 0, at) + 1 : at + len(end) - 1])


def _lines_with(text: bytes, part: bytes) -> Iterator[bytes]:
    """Yield the lines that have ``part`` in their keys, or with the newline before them."""
    at = text.find(part)
    while at >= 0:
        begin, end = text.rfind(b"\n", 0, at + 1) + 1, text.find(b"\n", at + 1)
        line = text[begin:end]
        if at - begin <= line.find(b";"):
            yield line
        at = text.find(part, end)


def _place(line: bytes) -> Place:
    _keys, name, german, country, near, latitude, longitude = line.decode().split(";")
    return Place(
        name=name,
        german_name=german,
        country=country,
        near=near,
        latitude=float(latitude),
        longitude=float(longitude),
    )
