"""What the demo shows while it works: a line a step, with the time that it took."""

from __future__ import annotations

import itertools
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_SPINNER = "|/-\\"


@dataclass
class Step:
    """A step under way; `text` is what its line says, and can be completed by its body."""

    text: str
    _begun: float = field(default_factory=time.monotonic)

    def line(self) -> str:
        """The time so far and the text."""
        return f"{time.monotonic() - self._begun:6.1f} s  {self.text}"


@contextmanager
def step(text: str) -> Iterator[Step]:
    """Show a step: on a terminal at once and moving, elsewhere one line when it is done."""
    current = Step(text)
    done = threading.Event()
    spinner = threading.Thread(target=_spin, args=(current, done), daemon=True)
    if sys.stdout.isatty():
        spinner.start()
    try:
        yield current
    except BaseException as error:
        _end(done, spinner)
        outcome = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        print(f"{current.line()}: {outcome}", flush=True)
        raise
    _end(done, spinner)
    print(current.line(), flush=True)


def _end(done: threading.Event, spinner: threading.Thread) -> None:
    done.set()
    if spinner.ident is not None:
        spinner.join()
        print("\r\x1b[K", end="")


def _spin(current: Step, done: threading.Event) -> None:
    for sign in itertools.cycle(_SPINNER):
        # A line that wraps could not be written over.
        width = shutil.get_terminal_size().columns - 1
        print("\r\x1b[K" + f"{sign}{current.line()[1:]}"[:width], end="", flush=True)
        if done.wait(0.1):
            return
