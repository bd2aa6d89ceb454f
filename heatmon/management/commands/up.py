"""Everything in one process: pages and collection. Without account and device it is the demo."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models.signals import post_delete, post_save

from apps.accounts.restart import request_restart, restart_requested
from apps.accounts.setup_code import current_code
from apps.dashboard.context_processors import version
from apps.devices import storage
from apps.devices.models import Device, SavedOption
from apps.devices.option_parsers import InvalidValue, address_and_port
from apps.devices.options import default_site
from apps.metrics.apps import default_store
from heatmon import jobs, last_resort
from heatmon.collection import Collection
from heatmon.database import NotesUnusable, make_ready
from heatmon.device_locks import DeviceLocks
from heatmon.embedded import AlreadyRunning, ProcessLock, Runner
from heatmon.log import flush, say
from heatmon.mode import is_loopback
from heatmon.schedule import JOBS
from heatmon.web import WebServer

log = logging.getLogger(__name__)

# A start within a poll's interval waits for the next turn.
ASKED_LATELY = timedelta(seconds=300)
DAMAGED = frozenset({"notes_damaged", "series_damaged"})


class Command(BaseCommand):
    help = (
        "Run the web server and data collection in one process; without an account or device, run the demo."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="run the demo even if devices are set up")
        parser.add_argument("--bind", metavar="ADDRESS", help="address and port, overriding HEATMON_BIND")

    def handle(self, *args: Any, **options: Any) -> None:
        bind = options["bind"] or settings.HEATMON.bind
        try:
            host, _colon, port = address_and_port(bind).rpartition(":")
        except InvalidValue as error:
            raise CommandError(f"--bind {bind} {error}", returncode=2) from error
        if settings.DEMO and not is_loopback(bind):
            raise CommandError(
                f"The demo has no sign-in and listens on loopback only, not on {host}. To use your own "
                "devices, name one in .env (HEATMON_SHELLY_URL or HEATMON_VIESSMANN_CLIENT_ID) and restart, "
                "or start with --bind 127.0.0.1:8000, reach it through ssh -L 8000:127.0.0.1:8000, and open "
                "/setup.",
                returncode=2,
            )
        for warning in settings.HEATMON.warnings:
            log.warning("%s", warning)
        try:
            with ProcessLock(settings.DATA_DIR / "heatmon.lock"):
                again = self._serve(host.strip("[]"), int(port))
        except AlreadyRunning as error:
            raise CommandError(f"{error}. Stop it first, or open its page.") from error
        if again:
            _start_again()

    def _serve(self, host: str, port: int) -> bool:
        """Run until told to stop; True if the process is to restart."""
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_ignored: stop.set())
        try:
            make_ready()
        except NotesUnusable as error:
            self._say_only(host, port, error, stop)
            return False
        web = WebServer(host, port)
        web.start()
        self._announce(web.address)
        refusal = default_store().refusal
        damage = storage.damage()
        demo = None
        if settings.DEMO and refusal is None:
            from heatmon.demo.child import Demo

            demo = Demo(default_site(), default_store())
            demo.start()
        collection = demo.collection() if demo else Collection(default_site(), default_store(), clock=_now)
        watch_options(collection)
        due_now = due_at_once(collection, _now())
        locks = DeviceLocks(collection.site.pk)
        runner = Runner(
            [] if refusal or damage else JOBS,
            work_of(collection, stop),
            at_once=due_now,
            for_turn=locks.for_turn,
        )
        runner.start()
        while not stop.wait(0.2) and not restart_requested.is_set():
            if not damage and storage.fault() in DAMAGED:
                request_restart()  # the next start sets measured values aside, and leaves notes as they are
        say("stopping ...")
        # All are told at once, so that together they take no longer than the slowest.
        stop.set()
        runner.stop.set()
        if demo:
            demo.ask_to_end()
        web.stop()
        runner.join()
        if demo:
            demo.stop()
        default_store().close()
        return restart_requested.is_set()

    def _say_only(self, host: str, port: int, error: NotesUnusable, stop: threading.Event) -> None:
        """Serve one sentence: there is nothing else that could be said or done."""
        web = WebServer(host, port, application=last_resort.application(error.code))
        web.start()
        log.error("%s", error)
        say(f"heatmon {version()} · {web.address} · stop: Ctrl-C")
        stop.wait()
        say("stopping ...")
        web.stop()

    def _announce(self, address: str) -> None:
        what = "demo data · " if settings.DEMO else ""
        say(f"heatmon {version()} · {what}{address} · stop: Ctrl-C")
        if settings.DEMO or not get_user_model().objects.exists():
            code = current_code(settings.HOME_DATA_DIR)
            say(f"one-time code for {address}setup : {code}")


def _now() -> datetime:
    return datetime.now(UTC)


def work_of(collection: Collection, stop: threading.Event) -> Mapping[str, Callable[[datetime], Any]]:
    """Return job name → what to do at its time. Long work in pieces ends with ``stop``."""

    def go_on() -> bool:
        return not stop.is_set()

    work = {job.name: partial(getattr(jobs, job.name), collection) for job in JOBS}
    for name in ("backfill", "derive"):
        work[name] = partial(work[name], go_on=go_on)
    return work


def due_at_once(collection: Collection, at: datetime) -> set[str]:
    """Return the jobs that have a turn at the start: the heat pump is asked, unless it was a moment ago. The
    ledger decides, in which a poll stands before it is made: dying in one again and again costs nothing."""
    budget = collection.connected().budget
    asked_at = budget.last_call_at() if budget else None
    recent = asked_at is not None and at - asked_at < ASKED_LATELY
    return set() if recent else {"poll_heat_pump"}


def watch_options(collection: Collection) -> None:
    """Make saved settings and confirmed devices count from the next poll on."""

    def reload(**_kwargs: Any) -> None:
        collection.reload()

    for changed in (post_save, post_delete):
        for model in (SavedOption, Device):
            changed.connect(reload, sender=model, weak=False)


def _start_again() -> None:
    environ = {key: value for key, value in os.environ.items() if key != "HEATMON_DEMO"}
    arguments = [argument for argument in sys.argv if argument != "--demo"]
    flush()
    os.execve(sys.executable, [sys.executable, *arguments], environ)  # noqa: S606
