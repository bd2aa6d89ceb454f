"""Running the import commands as a person does."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError


def run(*words: object) -> str:
    out = io.StringIO()
    call_command(*(str(word) for word in words), stdout=out, stderr=out)
    return out.getvalue()


def refused(*words: object) -> str:
    """What is said on a wrong use or a bad file, which end with 2."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command(*(str(word) for word in words), stdout=out, stderr=out)
    assert error.value.returncode == 2
    return f"{out.getvalue()}{error.value}"
