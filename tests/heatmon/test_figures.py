"""Sizes and values in the terminal."""

from __future__ import annotations

import pytest

from heatmon.figures import plain, size_in_words


@pytest.mark.parametrize(
    ("size_bytes", "said"), [(109_980_155, "104.9 MB"), (655_000, "639.6 KB"), (5_200_000_000, "4.8 GB")]
)
def test_a_size_is_told_as_the_pages_tell_it(size_bytes: int, said: str) -> None:
    assert size_in_words(size_bytes) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(7871.61, "7,871.61"), (0.0, "0"), (-12.5, "-12.5"), (7_871_610.0, "7,871,610")],
)
def test_a_value_is_never_told_in_powers_of_ten(value: float, said: str) -> None:
    assert plain(value) == said
