"""Measure a process: seconds, its own peak of memory, and that of the server's backends."""

from __future__ import annotations

import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demo.server import Server
from pipeline.errors import PipelineError

# Seconds between two looks at the backends: often enough for a load, too seldom to slow it down.
_EVERY = 0.1


@dataclass(frozen=True)
class Run:
    """One process: wall seconds, and megabytes at the peak where Linux tells them."""

    seconds: float
    client_mb: float | None
    server_mb: float | None
    output: str


@dataclass
class Series:
    """What one name measured, several times. `per` is how many rows one time carries."""

    name: str
    per: int
    seconds: list[float] = field(default_factory=list)
    notes: dict[str, list[float]] = field(default_factory=dict)

    def add(self, seconds: float, **notes: float | None) -> None:
        """One more time."""
        self.seconds.append(seconds)
        for key, value in notes.items():
            if value is not None:
                self.notes.setdefault(key, []).append(value)

    @property
    def median(self) -> float:
        """Of the seconds."""
        return statistics.median(self.seconds)

    def note(self, key: str) -> float | None:
        """The median of a note, None where it was never taken."""
        return statistics.median(self.notes[key]) if key in self.notes else None


def run_process(
    arguments: Sequence[str], environment: Mapping[str, str], server: Server | None
) -> Run:
    """Run it to its end. Raises PipelineError with the last of its output if it fails."""
    started = time.monotonic()
    process = subprocess.Popen(
        list(arguments),
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watch = _Memory(process.pid, server)
    output, _ = process.communicate()
    seconds = time.monotonic() - started
    watch.stop()
    if process.returncode:
        raise PipelineError(
            f"{' '.join(arguments[:4])} … ended with {process.returncode}:\n{output[-2000:]}"
        )
    return Run(seconds, watch.client_mb, watch.server_mb, output)


class _Memory:
    """Looks again and again at what a process, and the server's backends, have to themselves.

    Linux's own peak of a process (ru_maxrss) would begin at the size of the parent.
    """

    def __init__(self, process: int, server: Server | None) -> None:
        self.client_mb: float | None = None
        self.server_mb: float | None = None
        self._process = process
        self._postmaster = None
        if server is not None:
            self._postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        if Path("/proc/self/status").exists():
            self._thread.start()

    def stop(self) -> None:
        """The process has ended."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(_EVERY):
            own = _megabytes(self._process, "VmHWM")
            self.client_mb = max(self.client_mb or 0.0, own)
            if self._postmaster is not None:
                # Without the shared buffers, which no backend has to itself.
                total = sum(_megabytes(pid, "RssAnon") for pid in _children(self._postmaster))
                self.server_mb = max(self.server_mb or 0.0, total)


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def _megabytes(pid: int, field: str) -> float:
    """0 for a process that has ended since."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = (line.split()[1] for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(next(found, "0")) / 1024


def timed(action: Callable[[], object]) -> float:
    """The seconds that a call takes."""
    started = time.monotonic()
    action()
    return time.monotonic() - started
