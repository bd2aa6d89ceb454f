"""Progress where there is no terminal: a line each five per cent."""

from __future__ import annotations

import io

from heatmon.progress import Progress


def test_a_log_gets_a_line_each_five_per_cent() -> None:
    log = io.StringIO()
    with Progress(40, "import", log) as progress:
        for _ in range(40):
            progress.advance()
    lines = log.getvalue().splitlines()
    assert lines[0] == "import: 5 %"
    assert lines[-1] == "import: 100 %"
    assert len(lines) == 20


def test_a_large_step_tells_only_where_it_ends() -> None:
    log = io.StringIO()
    with Progress(10, "import", log) as progress:
        progress.advance(7)
    assert log.getvalue() == "import: 70 %\n"


def test_nothing_to_do_is_no_error() -> None:
    log = io.StringIO()
    with Progress(0, "import", log) as progress:
        progress.advance(0)
    assert log.getvalue() == ""
