"""The demo's SQL, by the name of its file."""

from __future__ import annotations

from pathlib import Path


def query(name: str) -> str:
    """The text of demo/sql/`name`.sql."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
