"""Somebody who trades in another system when asked to, in a process of that system's own Python."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Trader:
    """A script that takes a request a line, as JSON, and answers each with a line."""

    def __init__(self, command: Sequence[str | Path], **environment: str) -> None:
        self._process = subprocess.Popen(
            command,
            env=_without_the_shops() | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *request: Any) -> Any:
        """Have something done, as the script offers it, and committed; what it answers."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"{request} was not done; the script's traceback is above"
        return json.loads(answer)

    def close(self) -> None:
        """No more trade."""
        self._process.terminate()
        self._process.communicate()


def _without_the_shops() -> dict[str, str]:
    """What the tests themselves are set up by is not for another system."""
    foreign = ("PG", "TRYTON", "DJANGO", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
