"""List the movements that cannot be valued, and since when they wait."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline import olap
from pipeline.base.database import connect
from pipeline.base.text_tables import print_table, terminal_width, wrapped
from pipeline.commands.manual import Manual, add_all_shops, add_json, print_json
from pipeline.olap.names import read_names
from pipeline.settings import load_settings
from pipeline.settings.moments import in_zone
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.settings import Settings

# Most shops have none of these: as a table they are shown where there is one.
_SELDOM = (
    "id_origen",
    "id_sucursal_destino",
    "importe",
    "impuesto",
    "precio_con_impuesto",
    "clave_producto",
)
_COLUMNS = (
    "id_movimiento",
    "tipo",
    "id_producto",
    "id_sucursal",
    "cantidad",
    "precio_unitario",
    "costo_unitario",
    "fecha",
    "motivo",
    "primera_desde",
    "primera_hasta",
    "ultima_desde",
    "ultima_hasta",
    *_SELDOM,
)

MANUAL = Manual(
    does="Lists the movements that cannot be valued, with the reason, and the first and the last "
    "window in which they were tried, the oldest first.",
    reads="the OLAP.",
    changes="nothing.",
    exits={0: "listed, were there any or none", 1: "a failure"},
    examples=("python -m pipeline rejects --limit 20", "python -m pipeline rejects --json"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "--limit", type=_count, default=100, metavar="N", help="show the oldest N (default 100)"
    )
    add_json(parser)
    add_all_shops(parser)


def _count(raw: str) -> int:
    """As many as bigint can count; argparse tells of a ValueError."""
    count = int(raw)
    if not 0 <= count < 1 << 63:
        raise ValueError(raw)
    return count


# What argparse calls it.
_count.__name__ = "N"


def run(arguments: argparse.Namespace) -> int:
    """Ask the OLAP, and show it."""
    settings = load_settings()
    olap.read_control(settings)
    rejects = _read(settings, arguments.limit)
    if arguments.json:
        names = read_names(settings, (row["id_movimiento"] for row in rejects))
        named = [{**row, **names.of_movement(row["id_movimiento"])} for row in rejects]
        print_json({"rejects": named})
        return 0
    if not rejects:
        print(_("no movement is rejected"))
        return 0
    names = read_names(settings, (row["id_movimiento"] for row in rejects))
    seldom = [name for name in _SELDOM[:-1] if any(row[name] is not None for row in rejects)]
    print_table(
        [
            _("movement"),
            _("type"),
            _("product"),
            _("quantity"),
            _("price"),
            _("cost"),
            _("date"),
            _("reason"),
            _("first window"),
            _("last window"),
            *seldom,
        ],
        [
            [
                names.movement(row["id_movimiento"]),
                row["tipo"],
                row["clave_producto"] or row["id_producto"],
                _text(row["cantidad"]),
                _text(row["precio_unitario"]),
                _text(row["costo_unitario"]),
                _text(row["fecha"]),
                row["motivo"],
                in_zone(row["primera_hasta"], settings.timezone),
                in_zone(row["ultima_hasta"], settings.timezone),
                *(_text(row[name]) for name in seldom),
            ]
            for row in rejects
        ],
    )
    told = _("Each is tried again in every window, and loaded when the shop has corrected it.")
    print("", *wrapped(told, terminal_width()), sep="\n")
    return 0


def _read(settings: Settings, limit: int) -> list[dict[str, Any]]:
    with (
        connect(settings.olap, "rejects", read_only=True) as connection,
        connection.cursor() as cursor,
    ):
        # As text: a reject's date may be infinity, or of a year that Python has none for.
        columns = [
            sql.SQL("r.fecha::text" if name == "fecha" else f"r.{name}") for name in _COLUMNS
        ]
        cursor.execute(
            sql.SQL("SELECT {} FROM etl.listar_rechazos(%s) AS r").format(
                sql.SQL(", ").join(columns)
            ),
            (limit,),
        )
        return [dict(zip(_COLUMNS, row, strict=True)) for row in cursor.fetchall()]


def _text(value: Any) -> Any:
    return None if value is None else str(value)
