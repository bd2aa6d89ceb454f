"""Keys in the data directory: made once, readable by heatmon alone, in no backup."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

DEVICE_KEY = "device-secrets.key"


def secret_file(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return the content of a secret file; the first of several callers makes it, with mode 0600."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes().strip()
    with os.fdopen(descriptor, "wb") as file:
        content = make()
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return content


def fernet(folder: Path) -> Fernet:
    """Return what encrypts passwords and tokens under the key in ``folder``, made on first use."""
    return Fernet(secret_file(folder / DEVICE_KEY, Fernet.generate_key))
