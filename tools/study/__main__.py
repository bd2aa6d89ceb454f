"""``python -m tools.study years`` and ``… estimate`` write ``docs/study.md``, ``… effects`` writes
``docs/study-effects.md``; without a command years, then effects.

Each simulated year runs in a process of its own (``one``, for these commands only), whose data directory
is scratch. Exit code 1 when a claim fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

FIRST = date(2026, 1, 1)
SCENARIOS = ("nameplate", "bias")
HOMES = 1000
WATCHED = 10
"""One home in so many is watched for lasting deviations, or looked at as the real pump was: more work."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.study", description="Numbers against the truth.")
    parser.set_defaults(days=400, seeds=[1, 2, 3], homes=HOMES, jobs=2)
    commands = parser.add_subparsers(dest="command")
    every = commands.add_parser("years", help="simulated homes for 400 days")
    every.add_argument("--days", type=int, default=400)
    every.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    every.add_argument("--jobs", type=int, default=2, help="homes at a time")
    guess = commands.add_parser("estimate", help="the year's estimate on simulated homes")
    guess.add_argument("--homes", type=int, default=20)
    guess.add_argument("--jobs", type=int, default=2)
    effects = commands.add_parser("effects", help="effects of changes on simulated homes")
    effects.add_argument("--homes", type=int, default=HOMES, help=f"of each class and kind (default {HOMES})")
    effects.add_argument("--jobs", type=int, default=2)
    one = commands.add_parser("one")
    one.add_argument("--days", type=int, required=True)
    one.add_argument("--seed", type=int, required=True)
    one.add_argument("--scenario", required=True)
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    if asked.command == "one":
        return _one(asked.days, asked.seed, asked.scenario)
    if asked.command == "estimate":
        return _estimate(asked.homes, asked.jobs)
    if asked.command == "effects":
        return _effects(asked.homes, asked.jobs)
    failed = _years(asked.days, asked.seeds, asked.jobs)
    return failed if asked.command == "years" else max(failed, _effects(asked.homes, asked.jobs))


def _years(days: int, seeds: list[int], jobs: int) -> int:
    runs = [(seed, scenario) for seed in seeds for scenario in SCENARIOS]
    with tempfile.TemporaryDirectory(prefix="heatmon-study-") as scratch, ThreadPoolExecutor(jobs) as pool:
        answers = list(pool.map(partial(_in_child, days, Path(scratch)), runs))
    return _tell(answers)


def _in_child(days: int, scratch: Path, run: tuple[int, str]) -> dict[str, Any]:
    """Return the findings of one home; the child's progress goes to the terminal."""
    seed, scenario = run
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HEATMON_")}
    environ |= {
        "HEATMON_DATA_DIR": str(scratch / f"{scenario}-{seed}"),
        "HEATMON_DEMO": "0",
        "HEATMON_SCRATCH": "1",
        "DJANGO_SETTINGS_MODULE": "heatmon.settings",
    }
    command = [sys.executable, "-m", "tools.study", "one", "--days", str(days)]
    command += ["--seed", str(seed), "--scenario", scenario]
    child = subprocess.Popen(  # noqa: S603
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert child.stdout is not None
    answer: dict[str, Any] = {}
    for line in child.stdout:
        if line.startswith("{"):
            answer = json.loads(line)
        else:
            sys.stderr.write(line)
            sys.stderr.flush()
    if child.wait() or not answer:
        raise SystemExit(f"the {scenario} home of seed {seed} could not be studied; see above")
    return answer


def _one(days: int, seed: int, scenario: str) -> int:
    """Study one home in this process, whose environment is scratch, and print the findings as JSON."""
    import django

    django.setup()
    from django.core.management import call_command

    from apps.devices.options import default_site
    from apps.metrics.store.sqlite import SqliteStore
    from heatmon.progress import Progress

    from .truth import studied

    call_command("migrate", verbosity=0)
    began = time.monotonic()
    store = SqliteStore(Path(os.environ["HEATMON_DATA_DIR"]) / "study.sqlite3", synchronous="OFF")
    with Progress(days, f"{scenario} {seed}", sys.stdout) as progress:
        found = studied(store, default_site(), seed, scenario, FIRST, days, lived=progress.advance)
    store.close()
    sys.stdout.write(json.dumps({**asdict(found), "duration_s": time.monotonic() - began}) + "\n")
    return 0


def _tell(answers: list[dict[str, Any]]) -> int:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")
    django.setup()
    from .claims import claims
    from .report import failures, write_section, years
    from .truth import Findings, JazFinding, MonthFinding

    found = [
        Findings(
            **{
                **answer,
                "months": tuple(MonthFinding(**month) for month in answer["months"]),
                "years": tuple(JazFinding(**year) for year in answer["years"]),
            }
        )
        for answer in answers
    ]
    for each in found:
        for claim in claims(each):
            verdict = "holds" if claim.holds else "FAILS"
            sys.stdout.write(
                f"{each.scenario:>9} {each.seed}  {verdict}  {claim.text}  (worst: {claim.worst})\n"
            )
    write_section("years", years(found))
    failed = failures(found)
    sys.stdout.write(f"written to docs/study.md; {len(failed)} claims failed\n")
    return 1 if failed else 0


def _estimate(count: int, jobs: int) -> int:
    from .homes import studied_home

    homes = []
    with ProcessPoolExecutor(jobs) as pool:
        for home in pool.map(studied_home, range(count)):
            homes.append(home)
            sys.stderr.write(f"home {len(homes)} of {count} lived\n")
            sys.stderr.flush()
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")
    django.setup()
    from .estimates import accuracies
    from .report import estimate, write_section

    text = estimate(accuracies(homes), count)
    sys.stdout.write(text + "\n")
    write_section("estimate", text)
    return 0


def _effects(count: int, jobs: int) -> int:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")
    import django

    django.setup()
    from .effect_homes import CLASSES
    from .effects import KINDS, study
    from .effects_report import write
    from .one_house import one_house
    from .watch import watch

    found = study(count, jobs)
    some = max(1, count // WATCHED)
    houses = one_house(some, jobs)
    watched = {
        (home_class.name, kind): watch(some, jobs, kind, home_class)
        for home_class in CLASSES
        for kind in KINDS
    }
    claims = write(found, houses, watched)
    for about, claim in claims:
        verdict = "holds" if claim.holds else "FAILS"
        sys.stdout.write(f"{about:>13}  {verdict}  {claim.text}  (measured: {claim.worst})\n")
    failed = [claim for _about, claim in claims if not claim.holds]
    sys.stdout.write(f"written to docs/study-effects.md; {len(failed)} claims failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
