"""The recipes that the package carries: a folder of queries for each system, by its name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.translation import translated as _

PREFIX = "receta:"
_PLACE = "oltp/recetas"


@cache
def sql_folder(folder: str) -> Path:
    """Where the scripts of `folder` ('oltp' or 'olap') are.

    A wheel has them inside the package; a checkout, and an editable install of
    one, beside it (setuptools' editable finder cannot import `pipeline.sql`,
    which is no package of its own, so the folder is found by its path).
    """
    package = Path(__file__).parents[1]
    installed = package / "sql" / folder
    return installed if installed.is_dir() else package.parent / "sql" / folder


def recipes() -> list[str]:
    """The names of those there are."""
    return sorted(path.parent.name for path in sql_folder(_PLACE).glob("*/movimientos.sql"))


def is_shipped(folder: Path | None) -> bool:
    """Whether the queries of this folder are a recipe's."""
    return folder is not None and folder.parent == sql_folder(_PLACE)


def queries_folder(raw: str) -> Path | None:
    """A folder of the shop's own queries, or that of a recipe; None where it is empty.

    Raises SettingsError for a recipe that there is not, with those that there are.
    """
    if not raw.startswith(PREFIX):
        return Path(raw).expanduser().absolute() if raw else None
    name, known = raw.removeprefix(PREFIX).strip(), recipes()
    if name not in known:
        raise SettingsError(
            _("ETL_OLTP_SQL_DIR: there is no recipe '{name}'; there are {known}").format(
                name=name, known=", ".join(PREFIX + other for other in known)
            )
        )
    return sql_folder(_PLACE) / name
