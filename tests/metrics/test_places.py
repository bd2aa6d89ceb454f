"""Towns are found by name, whatever the accents, in a list that heatmon brings along."""

from __future__ import annotations

import pytest

from apps.metrics.places import folded, place_at, places_named


def names(query: str, language: str = "de") -> list[str]:
    return [place.called(language) for place in places_named(query)]


@pytest.mark.parametrize(
    ("query", "town"),
    [
        ("Fuld", "Fulda, DE"),
        ("muenchen", "München, DE"),
        ("Munchen", "München, DE"),
        ("MÜNCHEN", "München, DE"),
        ("Wien", "Wien, AT"),
        ("Vienna", "Wien, AT"),
        ("Milano", "Mailand, IT"),
        ("praha", "Prag, CZ"),
        ("Castrop-R", "Castrop-Rauxel, DE"),
        ("castrop r", "Castrop-Rauxel, DE"),
        ("Luebeck, de", "Lübeck, DE"),
        ("Lodz", "Łódź, PL"),
        ("Tromso", "Tromsø, NO"),
    ],
)
def test_a_town_is_found_first_however_it_is_typed(query: str, town: str) -> None:
    assert names(query)[0] == town


def test_english_readers_see_the_names_that_they_know() -> None:
    assert names("Wien", "en")[0] == "Vienna, AT"


def test_the_biggest_come_first_then_those_with_the_word_further_on() -> None:
    assert names("Fulda")[:3] == ["Fulda, DE", "Fuldatal, DE", "Rotenburg an der Fulda, DE"]


def test_towns_of_one_name_are_told_apart_by_a_bigger_one_nearby() -> None:
    found = names("Neustadt, DE")
    assert len(set(found)) == 8
    assert "Neustadt (Hamburg), DE" in found


def test_at_most_eight_are_listed_and_none_for_one_letter_or_nonsense() -> None:
    assert len(places_named("ba")) == 8
    assert places_named("b") == []
    assert places_named("") == []
    assert places_named("|") == []
    assert places_named("Xyzzy") == []
    assert places_named("\n;50.55") == []


def test_the_town_of_coordinates_is_known_again() -> None:
    place = place_at(50.55, 9.68)
    assert place is not None
    assert (place.name, place.latitude, place.longitude) == ("Fulda", 50.55, 9.68)
    assert place_at(50.5512, 0.0) is None


def test_names_are_compared_without_case_accents_umlauts_and_punctuation() -> None:
    assert folded("Sankt-Pölten") == "sankt polten"
    assert folded("Poelten") == "polten"
    assert folded("Straße") == "strasse"
    assert folded("St. Gallen") == "st gallen"
