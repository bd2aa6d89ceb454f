"""Write down each one-byte wake-up write of this process that lands outside a pipe.

Python imports it at start where this folder is on PYTHONPATH; it acts only with STRAY_WRITES_LOG set.
"""

import fcntl
import os
import time

_path = os.environ.get("STRAY_WRITES_LOG")
if _path:
    _write = os.write
    _opened = os.open(_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    # A high number, so that low ones stay as the program has them.
    _log = fcntl.fcntl(_opened, fcntl.F_DUPFD_CLOEXEC, 900)
    os.close(_opened)

    def _watched(fd: int, data: bytes) -> int:
        if data == b"x":
            try:
                where = os.readlink(f"/proc/self/fd/{fd}")
            except OSError:
                where = "closed"
            if not where.startswith("pipe:"):
                _write(_log, f"{time.time():.3f} process {os.getpid()} number {fd} -> {where}\n".encode())
        return _write(fd, data)

    os.write = _watched  # type: ignore[assignment]
