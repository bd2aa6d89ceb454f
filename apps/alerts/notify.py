"""A process for one message: apprise takes 45 MB and a second to load, and what hangs is killed with it.

    echo '{"address": "…", "title": "…", "text": "…"}' | python -m apps.alerts.notify

The address comes by standard input, where no list of processes shows it. Without ``title`` it is only looked
at. Prints the kind of service; exit code 0: it took the message, 1: it did not, 2: the address is not valid.
"""

from __future__ import annotations

import json
import logging
import sys

SENT, REFUSED, NO_ADDRESS = 0, 1, 2


def main() -> int:
    import apprise

    # Its own lines name addresses.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    asked = json.load(sys.stdin)
    service = apprise.Apprise.instantiate(asked["address"], suppress_exceptions=True)
    if service is None:
        return NO_ADDRESS
    sys.stdout.write(str(service.service_name))
    if "title" not in asked:
        return SENT
    return SENT if service.notify(title=asked["title"], body=asked["text"]) else REFUSED


if __name__ == "__main__":
    sys.exit(main())
