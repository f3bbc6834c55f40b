"""Set or correct the opening balances that products are valued from."""

from __future__ import annotations

import argparse
from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg2.extras import Json

from pipeline import olap
from pipeline.csv_rows import Row, line_error, read_rows
from pipeline.database import connect
from pipeline.queries import everything, load_query
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from pipeline.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "file",
        metavar="F",
        type=Path,
        help="CSV (also .gz) with id_producto or codigo, existencias, costo_promedio, and if "
        "there is any fecha: the date that the count holds at, by default the initial date",
    )
    parser.add_argument(
        "--drop-earlier",
        action="store_true",
        help="let movements that are dated before the opening leave the ledger",
    )
    parser.epilog = "example: python -m pipeline opening conteo.csv"


def run(arguments: argparse.Namespace) -> int:
    """Check every line, then set all of them in one transaction and revalue. Returns 0.

    Raises InputError for the first line that is not as it must be, or when movements
    would leave the ledger without --drop-earlier; nothing is changed then.
    """
    settings = load_settings()
    control = olap.read_control(settings)
    openings = _read_openings(arguments.file, settings)
    with connect(settings.olap, settings.timezone, "opening") as connection:
        done = olap.call(
            connection,
            "SELECT etl.aplicar_aperturas(%s, %s, %s)",
            (Json(openings), Json(olap.options(settings)), arguments.drop_earlier),
        )
        connection.commit()
    print(f"{done['aplicadas']} opening balances set")
    _tell_early(openings, olap.initial_date(control))
    if olap.last_run(control) is None:
        print("the first run will value from them")
        return 0
    print(
        f"{done['productos_tocados']} products valued again: "
        f"{done['revaluadas']} movements changed, {done['quitadas']} left the ledger"
    )
    if done["releer"]:
        print("an opening moved to an earlier date: the next run reads everything again")
    for view in olap.refresh_views(settings):
        if view["error"]:
            print(f"{view['view']} was not refreshed: {view['error']}")
    return 0


def _tell_early(openings: list[dict[str, Any]], initial: datetime | None) -> None:
    """A count that is older than the scope: what was sold in between is missing from it."""
    if initial is None:
        return
    early = [
        opening["id_producto"]
        for opening in openings
        if opening["fecha"] and datetime.fromisoformat(opening["fecha"]) < initial
    ]
    if early:
        print(
            f"{len(early)} of them are dated before {initial.isoformat()}, from which movements "
            f"are loaded (product {early[0]}, …): what happened in between does not count; "
            "`luigi --module pipeline Backfill --since DATE` brings it in"
        )


def _read_openings(path: Path, settings: Settings) -> list[dict[str, Any]]:
    openings: dict[int, dict[str, Any]] = {}
    lines: dict[int, int] = {}
    with read_rows(
        path,
        required=(("id_producto", "codigo"), "existencias", "costo_promedio"),
        optional=("fecha",),
    ) as rows:
        known, by_code = _catalogue(settings)
        for row in rows:
            product = _product(row, known, by_code)
            if product in lines:
                raise line_error(
                    path, row.line, f"product {product} was given already in line {lines[product]}"
                )
            lines[product] = row.line
            openings[product] = {
                "id_producto": product,
                "existencias": str(row.decimal("existencias", minimum=0)),
                "costo_promedio": str(row.decimal("costo_promedio", minimum=0)),
                "fecha": _date(row, settings),
            }
    return list(openings.values())


def _date(row: Row, settings: Settings) -> str | None:
    """The date that the count holds at; a count that is still to come is none."""
    if not row.text("fecha"):
        return None
    moment = row.moment("fecha", settings.timezone)
    if moment > datetime.now(timezone.utc):
        raise row.error("fecha", "must not be in the future")
    return moment.isoformat()


def _product(row: Row, known: set[int], by_code: dict[str, list[int]]) -> int:
    if row.text("id_producto"):
        product = row.integer("id_producto")
        if product not in known:
            raise row.error("id_producto", "must be a product of the OLTP")
        return product
    matches = by_code.get(row.required_text("codigo"), [])
    if not matches:
        raise row.error("codigo", "must be the code of a product of the OLTP")
    if len(matches) > 1:
        raise row.error("codigo", f"must be the code of one product, not of {len(matches)}")
    return matches[0]


def _catalogue(settings: Settings) -> tuple[set[int], dict[str, list[int]]]:
    """The products by id and by code, as productos.sql yields them."""
    by_code: dict[str, list[int]] = defaultdict(list)
    known: set[int] = set()
    with connect(settings.oltp, settings.timezone, "opening", read_only=True) as connection:
        query = load_query(connection, settings, "productos")
        with connection.cursor() as cursor:
            cursor.execute(everything(query, None))
            for product, code, *_ in cursor:
                known.add(product)
                if code:
                    by_code[code.strip()].append(product)
    return known, by_code
