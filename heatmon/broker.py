"""How Celery speaks to Redis: what is published reaches whoever listens, and nothing is stored.

Celery's own transport keeps bindings and unconfirmed messages in Redis and stops working when they are lost
or cannot be written. A message here only wakes a worker, and another follows within seconds.
"""

from __future__ import annotations

from typing import Any

from celery.app.amqp import AMQP
from kombu.connection import Connection
from kombu.transport import redis, virtual

RECONNECT_EVERY_S = 4


class WakingChannel(redis.Channel):
    """Publish and subscribe, nothing else: all queues are fanout."""

    QoS = virtual.QoS  # type: ignore[assignment]
    do_restore = False

    def _queue_bind(self, exchange: str, routing_key: str, _pattern: str, queue: str) -> None:
        self._fanout_queues[queue] = (exchange, routing_key)

    def _size(self, _queue: str) -> int:
        return 0

    def _delete(self, queue: str, *args: Any, **kwargs: Any) -> None:
        """There is nothing to delete."""


class WakingTransport(redis.Transport):
    Channel = WakingChannel


class WakingConnection(Connection):
    """Tries again every few seconds for ever; Celery's own pauses grow to half a minute."""

    def get_transport_cls(self) -> type[WakingTransport]:
        return WakingTransport

    def ensure_connection(self, errback: Any = None, _max_retries: Any = None, **options: Any) -> Any:
        pauses = {"interval_start": RECONNECT_EVERY_S, "interval_step": 0, "interval_max": RECONNECT_EVERY_S}
        return super().ensure_connection(errback, None, **{**options, **pauses})  # type: ignore[no-untyped-call]


class WakingAMQP(AMQP):  # type: ignore[misc]
    Connection = WakingConnection
