"""The SQL scripts that the package carries, by folder and name."""

from __future__ import annotations

from functools import cache

from pipeline.settings.recipes import sql_folder

__all__ = ["read_sql", "sql_folder"]


@cache
def read_sql(folder: str, name: str) -> str:
    """The text of the script sql/`folder`/`name`; FileNotFoundError where there is none."""
    return (sql_folder(folder) / name).read_text(encoding="utf-8")
