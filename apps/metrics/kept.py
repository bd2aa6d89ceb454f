"""Answers kept while what they rest on stays the same.

A home's derived numbers carry a version that every derivation raises, in whichever process. An answer is
kept per process for that version, the options in force and the running interval; without a version
(nothing derived yet) nothing is kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial, update_wrapper
from typing import Concatenate, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

from .home import Home
from .store.base import TimeSeriesStore

P = ParamSpec("P")
T = TypeVar("T")

MOST = 200

_lock = threading.Lock()
_answers: WeakKeyDictionary[TimeSeriesStore, OrderedDict[Hashable, object]] = WeakKeyDictionary()


def kept(question: Callable[Concatenate[Home, P], T]) -> Callable[Concatenate[Home, P], T]:
    """Let ``question`` be worked out once a version. Its arguments must be hashable, its answer is shared
    and must not be changed."""
    return _kept(lambda _answer: True, question)


def kept_if(
    is_final: Callable[[T], bool],
) -> Callable[[Callable[Concatenate[Home, P], T]], Callable[Concatenate[Home, P], T]]:
    """Return ``kept`` for answers of which only those that are ``is_final`` stay the same for a version."""
    return partial(_kept, is_final)


def _kept(
    is_final: Callable[[T], bool], question: Callable[Concatenate[Home, P], T]
) -> Callable[Concatenate[Home, P], T]:
    def answer(home: Home, *args: P.args, **kwargs: P.kwargs) -> T:
        if home.version is None:
            return question(home, *args, **kwargs)
        key = question, home.id, home.version, home.interval_s, repr(home.options), args, *kwargs.items()
        with _lock:
            known = _answers.setdefault(home.store, OrderedDict())
            if key in known:
                known.move_to_end(key)
                return known[key]  # type: ignore[return-value]
        found = question(home, *args, **kwargs)
        if not is_final(found):
            return found
        with _lock:
            known[key] = found
            while len(known) > MOST:
                known.popitem(last=False)
        return found

    return cast("Callable[Concatenate[Home, P], T]", update_wrapper(answer, question))
