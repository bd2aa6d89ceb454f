"""Progress of long commands: a bar on a terminal, a line each five per cent elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import NoReturn, TextIO

from tqdm import tqdm


class Progress:
    """``with Progress(total, "text") as progress: progress.advance(n)``."""

    def __init__(self, total: int, text: str, stream: TextIO | None = None) -> None:
        self._total = max(1, total)
        self._text = text
        self._stream = stream or sys.stderr
        self._done = 0
        self._told = 0
        self._bar: tqdm[NoReturn] | None = None
        if self._stream.isatty():
            self._bar = tqdm(total=self._total, desc=text, file=self._stream, leave=False)

    def __enter__(self) -> Progress:
        return self

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        if self._bar is not None:
            self._bar.update(steps)
            return
        percent = min(100, self._done * 100 // self._total)
        if percent >= self._told + 5:
            self._told = percent - percent % 5
            self._stream.write(f"{self._text}: {self._told} %\n")
            self._stream.flush()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
