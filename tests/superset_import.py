"""scripts/superset-import as the tests run it: in the environment that they are in."""

from __future__ import annotations

import sys


def import_program(*arguments: str) -> list[str]:
    """The program and its arguments."""
    return [sys.executable, "-m", "pipeline.superset.import_assets", *arguments]
