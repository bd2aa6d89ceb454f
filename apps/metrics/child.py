"""Run one function in a process of its own, so that the main one never loads numpy.

The child is this interpreter on this module: it reads a pickled call from its input, writes the pickled
result to its output and ends. Only heatmon's own functions travel, by name.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

TIME_LIMIT_S = 120
_ROOT = Path(__file__).resolve().parents[2]


class ChildFailed(Exception):
    """The child process ended without a result; the message is the end of what it said."""


def in_child(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return ``function(*args, **kwargs)``, computed in a child process: a function of a module that needs no
    Django, with arguments and result that can be pickled. Raises ChildFailed."""
    call = pickle.dumps((function.__module__, function.__qualname__, args, kwargs))
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=call,
            capture_output=True,
            timeout=TIME_LIMIT_S,
            cwd=_ROOT,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise ChildFailed(error.stderr.decode(errors="replace")[-500:]) from error
    except subprocess.TimeoutExpired as error:
        raise ChildFailed(f"no result within {TIME_LIMIT_S} s") from error
    result: T = pickle.loads(done.stdout)
    return result


def _main() -> None:
    module, name, args, kwargs = pickle.loads(sys.stdin.buffer.read())
    function: Any = getattr(import_module(module), name)
    sys.stdout.buffer.write(pickle.dumps(function(*args, **kwargs)))


if __name__ == "__main__":
    _main()
