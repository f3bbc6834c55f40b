"""Starts the pipeline's commands with a fault in them, and waits for what must happen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from ready_interpreter import Ready, start_ready
from shop_database import LUIGI, Shop

T = TypeVar("T")

PATIENCE = 90.0  # seconds, on a machine that others use too
POINTS = Path(__file__).with_name("fault_points.py")


def wait_for(what: str, condition: Callable[[], T], patience: float = PATIENCE) -> T:
    """The first true value of `condition`; AssertionError naming `what` when there is none."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {patience:.0f} s in vain: {what}"
        time.sleep(0.02)


class Fault:
    """One fault at a named point; see fault_points.py. It happens in one process, once."""

    def __init__(self, folder: Path, point: str, action: str = "kill") -> None:
        self.point, self.action = point, action
        number = len(list(folder.glob("fault-*")))
        self.folder = folder / f"fault-{number}"
        self.folder.mkdir()

    @property
    def env(self) -> dict[str, str]:
        """What the process needs in its environment."""
        return {
            "FAULT_FOLDER": str(self.folder),
            "FAULT_POINT": self.point,
            "FAULT_ACTION": self.action,
        }

    def at_start(self, env: Mapping[str, str]) -> dict[str, str]:
        """What besides makes a new process install the fault."""
        (self.folder / "sitecustomize.py").write_text(
            f"import runpy\nrunpy.run_path({str(POINTS)!r})['install']()\n"
        )
        paths = filter(None, [str(self.folder), env.get("PYTHONPATH")])
        return {"PYTHONPATH": os.pathsep.join(paths)}

    @property
    def fired(self) -> bool:
        """Whether a process came to the point."""
        return (self.folder / "fired").exists()

    def wait_until_paused(self, process: Process) -> None:
        """Until a process stands at the point (action "pause")."""
        wait_for(
            f"{self.point}, but the process {process.state()}",
            lambda: (self.folder / "paused").exists() or process.ended,
        )
        assert (self.folder / "paused").exists(), process.output

    def go_on(self) -> None:
        """Let it go on."""
        (self.folder / "go").touch()


class Process:
    """A command that runs beside the test, in a process group of its own."""

    def __init__(
        self, arguments: list[str], folder: Path, env: dict[str, str], fault: Fault | None = None
    ) -> None:
        """Python with these arguments; in a process that is ready, if it may be."""
        folder.mkdir(exist_ok=True)
        self._log = folder / f"process-{len(list(folder.glob('process-*')))}.log"
        told = env | (fault.env if fault else {})
        with self._log.open("w") as log:
            self._popen: Ready | subprocess.Popen[bytes] = start_ready(
                arguments, folder, told, log, POINTS if fault else None
            ) or subprocess.Popen(
                [sys.executable, *arguments],
                cwd=folder,
                env=told | (fault.at_start(told) if fault else {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        """Whether the command itself is over; workers of it may go on."""
        return self._popen.poll() is not None

    @property
    def output(self) -> str:
        """What it and its workers have said so far."""
        return self._log.read_text(errors="replace")

    def state(self) -> str:
        """For a message."""
        code = self._popen.poll()
        return "runs still" if code is None else f"ended with {code}"

    def wait(self, patience: float = PATIENCE) -> int:
        """Its exit code, negative for a signal; AssertionError when it does not end."""
        try:
            return self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it hangs: {self._popen.args}\n{self.output}") from None

    def kill(self) -> bool:
        """SIGKILL to the command and its workers; whether the command was alive."""
        alive = self._popen.poll() is None
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        return alive

    def kill_parent(self) -> bool:
        """SIGKILL to the command alone: workers go on as orphans; whether it was alive."""
        alive = self._popen.poll() is None
        self._popen.kill()
        self._popen.wait()
        return alive

    def workers(self) -> list[int]:
        """Processes of its group that still run, itself included."""
        return [pid for pid in _processes() if _group(pid) == self._popen.pid]


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _group(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, _, group = text.rpartition(")")[2].split()[:3]
    return None if state == "Z" else int(group)


def start_run(shop: Shop, *arguments: str, fault: Fault | None = None, **env: str) -> Process:
    """`luigi --module pipeline RunDue`, left running."""
    return start_luigi(shop, "RunDue", "--local-scheduler", *arguments, fault=fault, **env)


def start_luigi(shop: Shop, *arguments: str, fault: Fault | None = None, **env: str) -> Process:
    """`luigi --module pipeline …`, left running."""
    program = [str(LUIGI), "--module", "pipeline", *arguments]
    return Process(program, shop.folder, shop.env | env, fault)


def start_command(shop: Shop, *arguments: str, fault: Fault | None = None, **env: str) -> Process:
    """`python -m pipeline …`, left running."""
    return Process(["-m", "pipeline", *arguments], shop.folder, shop.env | env, fault)


def killed_at(shop: Shop, point: str, *arguments: str, **env: str) -> Process:
    """A run that is killed at that point, which it must come to."""
    fault = Fault(shop.folder, point)
    process = start_run(shop, *arguments, fault=fault, **env)
    code = process.wait()
    assert fault.fired, f"the run never came to {point}, and exited with {code}:\n{process.output}"
    process.kill()
    return process


def run_beside_orphan(shop: Shop, orphan: Process) -> None:
    """A run that succeeds while a worker of `orphan` may go on; then waits for that worker."""
    shop.run()
    wait_for("the orphan ends", lambda: not orphan.workers())


@contextmanager
def holding(connect: Callable[[], Any], *statements: str) -> Iterator[Any]:
    """A cursor in an open transaction that has run `statements`, rolled back at the end."""
    connection = connect()
    connection.autocommit = False
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            yield cursor
    finally:
        connection.close()


def waiting_backend(connection: Any, database: str) -> int | None:
    """The pid of a session of the pipeline that waits for a lock; `connection` a superuser's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND application_name = 'pipeline'"
            " AND wait_event_type = 'Lock'",
            (database,),
        )
        row = cursor.fetchone()
    return row[0] if row else None
