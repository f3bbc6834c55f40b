"""A Superset of one's own, on this machine alone: for the demo and the tests."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.state.process_lock import hold_lock
from pipeline.superset.account import Account

HOST = "127.0.0.1"
USER = "admin"
_USUAL_PORT = 8088
_PATIENCE = 180.0  # seconds for a start on a busy machine


def venv(requirements: Path) -> Path:
    """A virtual environment with those requirements, installed where there is none yet.

    It is kept in the user's cache, for every checkout and the next run. Raises PipelineError.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pipeline-superset"
    text = f"{sys.version_info[:2]} {requirements.read_text(encoding='utf-8')}"
    folder = cache / hashlib.sha256(text.encode()).hexdigest()[:12]
    cache.mkdir(parents=True, exist_ok=True)
    with hold_lock(cache / "lock"):
        # Written last: without it an earlier installation was interrupted.
        whole = folder / "installed"
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            log = cache / "install.log"
            _logged([sys.executable, "-I", "-m", "venv", str(folder)], log)
            pip = [str(folder / "bin/python"), "-I", "-m", "pip", "install", "-q"]
            _logged([*pip, "--disable-pip-version-check", "-r", str(requirements)], log)
            whole.touch()
    return folder


def _logged(command: list[str], log: Path) -> None:
    with log.open("ab") as file:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    if done.returncode:
        errors = re.findall(r"^ERROR: (.*)$", log.read_text(errors="replace"), re.M)
        said = errors[-1] if errors else f"{command[2:4]} failed"
        raise PipelineError(f"Superset cannot be installed: {said} (log: {log})")


@dataclass(frozen=True)
class SupersetServer:
    """A Superset with its SQLite, its login and its logs in `folder`, run from `venv`."""

    folder: Path
    venv: Path

    @property
    def log(self) -> Path:
        """What Superset writes about itself."""
        return self.folder / "superset.log"

    @property
    def _login(self) -> Path:
        return self.folder / "login.json"

    @property
    def _pid(self) -> Path:
        return self.folder / "superset.pid"

    @property
    def _port(self) -> Path:
        return self.folder / "port"

    @property
    def port(self) -> int:
        """Where it answers, or did the last time; at first Superset's usual port."""
        try:
            return int(self._port.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return _USUAL_PORT

    @property
    def account(self) -> Account:
        """Its address and administrator, once it was made and started."""
        login = json.loads(self._login.read_text(encoding="utf-8"))
        return Account(f"http://{HOST}:{self.port}", USER, login["password"])

    def make(self) -> None:
        """Make its database and administrator, with a password of its own, if there are none."""
        if (self.folder / "made").exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700, parents=True)
        self._login.touch(mode=0o600)
        login = {"password": secrets.token_urlsafe(12), "secret_key": secrets.token_urlsafe(42)}
        self._login.write_text(json.dumps(login), encoding="utf-8")
        setup = Path(__file__).with_name("superset_setup.py")
        with self.log.open("ab") as log:
            done = subprocess.run(
                [self.venv / "bin/python", setup],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if done.returncode:
            raise PipelineError(f"Superset's database cannot be made (log: {self.log})")
        (self.folder / "made").touch()

    def start(self) -> None:
        """Start it, if it does not run, and wait until it answers. Raises PipelineError.

        Where its port is taken by now, it gets another one. What answers is certain to be
        itself: it is given the port's socket, and keeps it for as long as it runs.
        """
        if self._process() is None:
            with _bound(self.port) as listening:
                self._launch(listening)
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._process() is None or time.monotonic() > deadline:
                self.stop()
                raise PipelineError(f"Superset did not start (log: {self.log})")
            time.sleep(0.3)

    def _launch(self, listening: socket.socket) -> None:
        # First, so that whoever finds the process knows its port.
        self._port.write_text(str(listening.getsockname()[1]), encoding="utf-8")
        command = [str(self.venv / "bin/gunicorn"), "--bind", f"fd://{listening.fileno()}"]
        command += ["--pid", str(self._pid), "--timeout", "120"]
        command += ["--workers", "1", "--worker-class", "gthread", "--threads", "8"]
        with self.log.open("ab") as log:
            started = subprocess.Popen(
                [*command, "superset.app:create_app()"],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[listening.fileno()],
            )
        self._pid.write_text(str(started.pid), encoding="utf-8")

    def stop(self) -> None:
        """End it, and wait for its end; nothing to do while it is down."""
        process = self._process()
        if process is None:
            return
        os.kill(process, signal.SIGTERM)
        while self._process() is not None:
            time.sleep(0.1)
        self._pid.unlink(missing_ok=True)

    def _process(self) -> int | None:
        """Its process, if it runs: a number alone may be somebody else's by now."""
        try:
            number = int(self._pid.read_text(encoding="utf-8"))
            # A child that ended stays until it is waited for.
            os.waitpid(number, os.WNOHANG)
        except ChildProcessError:
            pass
        except (OSError, ValueError):
            return None
        shown = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(number)], capture_output=True)
        return number if str(self._pid).encode() in shown.stdout else None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.account.url}/health", timeout=5):
                return True
        except (OSError, urllib.error.URLError):
            return False

    def _environment(self) -> dict[str, str]:
        foreign = ("PYTHON", "SUPERSET", "FLASK", "OLAP_", "OLTP_", "ETL_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        return environment | {
            "PIPELINE_SUPERSET_HOME": str(self.folder),
            "SUPERSET_HOME": str(self.folder),
            "SUPERSET_CONFIG_PATH": str(Path(__file__).with_name("superset_config.py")),
            "FLASK_APP": "superset",
        }


def _bound(port: int) -> socket.socket:
    """A socket that listens on that port, or where it is taken, on any that is free."""
    for wanted in (port, 0):
        try:
            return socket.create_server((HOST, wanted))
        except OSError:
            continue
    raise PipelineError(f"no port is free on {HOST}")


@contextmanager
def running(folder: Path, requirements: Path) -> Iterator[SupersetServer]:
    """A fresh Superset for the time of a test."""
    server = SupersetServer(folder, venv(requirements))
    server.make()
    server.start()
    try:
        yield server
    finally:
        server.stop()
