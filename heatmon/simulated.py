"""heatmon's own end of a simulated world: what its owner would enter, and a collection that polls it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from requests.adapters import BaseAdapter

from apps.devices.models import Site
from apps.devices.options import save_home_options
from apps.metrics.store.front import Store
from apps.simulator.world import RunningWorld, SimulatedWorld

from .collection import Collection


def connect(site: Site, world: SimulatedWorld, running: RunningWorld | None = None) -> None:
    """Save how the devices are reached: inside this process, or over loopback where ``running``."""
    save_home_options(
        site,
        {
            "shelly_url": (running or world).meter_url,
            "viessmann_user": world.cloud.user,
            "viessmann_password": world.cloud.password,
            "viessmann_client_id": world.cloud.client_id,
        },
    )


def collection_on(
    site: Site,
    store: Store,
    world: SimulatedWorld,
    folder: Path,
    *,
    running: RunningWorld | None = None,
    adapter: BaseAdapter | None = None,
    take_time: Callable[[float], None] | None = None,
) -> Collection:
    """Return a collection in the world's own time; its login is kept in ``folder``. ``adapter``: another
    way than sockets (``running``) or the world's own. ``take_time``: told how long answers and pauses take
    [s]; without it they take no time."""
    where = running or world
    return Collection(
        site,
        store,
        clock=world.clock.now,
        adapter=adapter if adapter or running else world.adapter(take_time),
        token_path=folder / "token.json",
        cloud=(where.cloud_api_url, where.cloud_iam_url),
        sleep=take_time or (lambda seconds: None),
        own_addresses=True,
    )
