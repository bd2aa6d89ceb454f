"""Run a command beside a PostgreSQL server that lives as long as the command does.

    python tools/postgres.py python -m pytest tests/changelog

HEATMON_TEST_DATABASE_URL names the server for the command, whose exit code is passed on. Where no PostgreSQL
is installed this says so and ends with 0, or with 1 if HEATMON_REQUIRE_POSTGRES is 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")
USER = "heatmon"


def binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL, None where there is none."""
    found = [path for path in DEBIAN.glob("*/bin") if (path / "postgres").exists()]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """Serve on a socket in a temporary folder and yield the address. Nothing survives: nothing is synced."""
    as_user = _user_for_the_server()
    with tempfile.TemporaryDirectory(prefix="heatmon-pg-") as folder:
        if as_user is not None:
            shutil.chown(folder, as_user)
        data = f"{folder}/data"
        new = ["-U", USER, "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        settings = f"-F -k {folder} -c listen_addresses='' -c full_page_writes=off -c synchronous_commit=off"
        steps = (
            [f"{programs}/initdb", "-D", data, *new],
            [f"{programs}/pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", settings, "start"],
        )
        try:
            for step in steps:
                subprocess.run(step, check=True, stdout=subprocess.DEVNULL, user=as_user, cwd=folder)
            yield f"postgres://{USER}@/postgres?host={folder}"
        finally:
            stop = [f"{programs}/pg_ctl", "-D", data, "-m", "immediate", "stop"]
            subprocess.run(stop, check=False, stdout=subprocess.DEVNULL, user=as_user, cwd=folder)


def _user_for_the_server() -> str | None:
    """PostgreSQL refuses root."""
    return "postgres" if os.geteuid() == 0 else None


def main(command: Sequence[str]) -> int:
    programs = binaries()
    if programs is None:
        sys.stderr.write("skipped: no PostgreSQL is installed (Debian: apt install postgresql)\n")
        return 1 if os.environ.get("HEATMON_REQUIRE_POSTGRES") == "1" else 0
    with server(programs) as url:
        environ = {**os.environ, "HEATMON_TEST_DATABASE_URL": url}
        return subprocess.run(command, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
