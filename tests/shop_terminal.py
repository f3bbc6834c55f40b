"""A terminal for a command."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping
from pathlib import Path


def on_terminal(program: list[str], folder: Path, env: Mapping[str, str]) -> tuple[int, str]:
    """Run it with a terminal for all that it prints; the exit code, and what was on it."""
    ours, its = pty.openpty()
    environment = {**env, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        program, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=its, stderr=its
    ) as process:
        os.close(its)
        said = b""
        # Linux tells of a terminal that nobody holds any more by an error.
        while piece := _read(ours):
            said += piece
    os.close(ours)
    return process.returncode, said.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
