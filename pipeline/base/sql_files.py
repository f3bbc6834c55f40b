"""The SQL scripts that the package carries, by folder and name."""

from __future__ import annotations

from pathlib import Path


def sql_folder(folder: str) -> Path:
    """Where the scripts of `folder` ('oltp' or 'olap') are.

    A wheel has them inside the package; a checkout, and an editable install of
    one, beside it (setuptools' editable finder cannot import `pipeline.sql`,
    which is no package of its own, so the folder is found by its path).
    """
    package = Path(__file__).parents[1]
    installed = package / "sql" / folder
    return installed if installed.is_dir() else package.parent / "sql" / folder


def read_sql(folder: str, name: str) -> str:
    """The text of the script sql/`folder`/`name`; FileNotFoundError where there is none."""
    return (sql_folder(folder) / name).read_text(encoding="utf-8")
