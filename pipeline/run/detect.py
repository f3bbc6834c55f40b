"""What a database of a shop's is: a system that a recipe is shipped for, or a draft of queries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.base.database import begin_snapshot, connect
from pipeline.errors import DatabaseError, InputError, SchemaError
from pipeline.olap.presence import is_olap, same_database
from pipeline.oltp.drafting.draft import draft
from pipeline.oltp.drafting.tables import read_tables
from pipeline.oltp.systems import known_systems
from pipeline.settings.recipes import sql_folder
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.oltp.drafting.draft import Draft
    from pipeline.oltp.systems import Seen
    from pipeline.settings import Settings


def detect(settings: Settings, output: str | None) -> dict[str, Any]:
    """What the OLTP's catalogue says of it; with `output` a draft is written into that folder.

    Asks as OLTP_ADMIN_USER where that is set, since the reader may read nothing before `init`.
    Raises DatabaseError for a database that is no shop's, SchemaError for a version of a system
    that its recipe was not tried with, InputError for a folder that has such files.
    """
    folder = _folder(output)
    together = same_database(settings.oltp, settings.olap)
    with connect(settings.oltp_admin, "detect", read_only=True) as shop:
        begin_snapshot(shop)
        tables = read_tables(shop, ["dw", "etl"] if together else [])
        if is_olap(shop) and (not together or not tables):
            raise DatabaseError(
                _(
                    "{oltp} holds an OLAP: give OLTP_DB_NAME the shop's database. Nothing was "
                    "looked at"
                ).format(oltp=settings.oltp_admin)
            )
        if not tables:
            raise DatabaseError(
                _("{oltp} has no tables: is it the shop's database (OLTP_DB_NAME)?").format(
                    oltp=settings.oltp_admin
                )
            )
        seen = known_systems(shop, tables)
        usable = [one for one in seen if one.fits and one.was_tried]
        if seen and not usable:
            raise SchemaError("; ".join(_unusable(one) for one in seen))
        found = draft(shop, tables, settings.capture) if folder or not usable else None
    if found is None and not usable:
        raise SchemaError(
            _(
                "{oltp}: none of its {tables} tables looks like movements of goods (a quantity, a "
                "product, a date), and no shipped recipe knows it: the queries are your own"
            ).format(oltp=settings.oltp_admin, tables=len(tables))
        )
    return {
        "oltp": str(settings.oltp_admin),
        "tables": len(tables),
        "systems": [_system(one) for one in usable],
        "not_usable": [_unusable(one) for one in seen if one not in usable],
        "candidates": _candidates(found),
        "others": found.others if found else [],
        "written": _write(folder, found) if folder and found else [],
    }


def _folder(output: str | None) -> Path | None:
    """Where the draft goes; InputError where it would overwrite anything."""
    if output is None:
        return None
    folder = Path(output).expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            _(
                "--output {folder} is there already, and not empty: name a new folder. Nothing "
                "was written"
            ).format(folder=folder)
        )
    return folder


def _write(folder: Path, found: Draft) -> list[str]:
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for query in found.queries:
            path = folder / f"{query.name}.sql"
            with path.open("x", encoding="utf-8") as file:
                file.write(query.sql)
            written.append(str(path))
    except OSError as error:
        raise InputError(
            _("--output {folder} cannot be written: {error}").format(folder=folder, error=error)
        ) from error
    return written


def _system(seen: Seen) -> dict[str, Any]:
    system = seen.system
    return {
        "recipe": seen.recipe,
        "system": system.name if system else None,
        "version": system.version if system else None,
        "tried": list(system.tried) if system else [],
        "settings": seen.settings or {"ETL_OLTP_SQL_DIR": ""},
    }


def _unusable(seen: Seen) -> str:
    """Why a recipe cannot be used as it is, and how to go on."""
    copy = sql_folder(f"oltp/recetas/{seen.recipe}") if seen.recipe else sql_folder("oltp")
    system = seen.system
    said = {
        "recipe": f"receta:{seen.recipe}",
        "name": system.name if system else seen.recipe,
        "version": (system.version if system else "") or _("of an unknown version"),
        "tried": ", ".join(system.tried) if system else "",
        "schema": seen.schema,
        "copy": copy,
        "lacks": seen.lacks,
        "installer": seen.installer,
    }
    if not seen.was_tried:
        text = _(
            "this is {name} {version}, and {recipe} was tried with {tried} alone: copy {copy}, "
            "name the copy in ETL_OLTP_SQL_DIR, add the version to probadas of its version.sql, "
            "and try it with `adapt` and `verify`"
        )
    elif seen.installer:
        text = _(
            "this is {name} {version}; for {recipe} its owner first runs {installer} once in its "
            "database, with psql"
        )
    elif seen.lacks:
        text = _(
            "this looks like {name} {version}, but the queries of {recipe} do not fit: {lacks}; "
            "copy {copy}, correct it, and name the copy in ETL_OLTP_SQL_DIR"
        )
    else:
        text = _(
            "the tables of {name} {version} are in the schema {schema}, and {recipe} reads public: "
            "copy {copy}, write {schema}. for public. in its files, and name the copy in "
            "ETL_OLTP_SQL_DIR"
        )
    return text.format(**said)


def _candidates(found: Draft | None) -> dict[str, list[dict[str, Any]]]:
    return {
        query.name: [
            {"column": column.name, "from": " ".join(column.sql.split()), "why": column.why}
            for yielded in query.selects
            for column in yielded
        ]
        for query in (found.queries if found else [])
    }
