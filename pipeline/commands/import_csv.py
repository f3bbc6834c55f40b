"""Load products and movements from CSV files into the example OLTP; harmless to repeat."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline.base.csv_rows import Row, Rows, read_rows, rounded, value_error
from pipeline.base.database import connect
from pipeline.base.sql_files import read_sql
from pipeline.base.text_lines import line_error
from pipeline.commands.manual import Manual, add_json, print_json
from pipeline.errors import InputError, SchemaError
from pipeline.settings import load_settings
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

PRODUCT_COLUMNS = ("id_producto", "nombre")
PRODUCT_OPTIONAL = ("codigo", "categoria", "precio_lista")
MOVEMENT_COLUMNS = (
    "id_transaccion",
    "tipo",
    "id_producto",
    "cantidad",
    "precio_unitario",
    "costo_unitario",
    "fecha",
)
MOVEMENT_OPTIONAL = (
    "id_sucursal",
    "id_tienda",
    "anulada",
    "id_origen",
    "id_sucursal_destino",
    "id_tienda_destino",
    "importe",
)

# By its type, the amount that a movement is valued by, if any; the other one may be empty.
_VALUED_BY = {
    "ENTRADA_MERCANCIA": "costo_unitario",
    "AJUSTE_ENTRADA": "costo_unitario",
    "COSTO_ADICIONAL": "costo_unitario",
    "VENTA": "precio_unitario",
    "AJUSTE_SALIDA": None,
    "DEVOLUCION_COMPRA": "costo_unitario",
    "TRASLADO": None,
    "DESCUENTO_VENTA": "precio_unitario",
    "DEVOLUCION_VENTA": "precio_unitario",
    "CONTEO": "costo_unitario",
}
# Of these it may be empty, too: what enters so enters at the average.
_MAY_LACK_AMOUNT = ("AJUSTE_ENTRADA", "DEVOLUCION_COMPRA", "CONTEO")
# What a negative quantity makes of a movement, as most tills write it.
_OPPOSITE = {
    "VENTA": "DEVOLUCION_VENTA",
    "ENTRADA_MERCANCIA": "DEVOLUCION_COMPRA",
    "AJUSTE_ENTRADA": "AJUSTE_SALIDA",
    "AJUSTE_SALIDA": "AJUSTE_ENTRADA",
}
# An empty quantity of these is 1.
_ONE = ("COSTO_ADICIONAL", "DESCUENTO_VENTA")
_TOTAL_LIMIT = Decimal(10) ** 12  # DESIGN 7.2
_TABLES = ["productos", "sucursales", "transacciones", "detalle_transaccion"]
# Which the tables of an earlier release lack.
_LATER_COLUMNS = [
    ("transacciones", "id_sucursal_destino"),
    ("detalle_transaccion", "id_origen"),
    ("detalle_transaccion", "importe"),
]

# Rows a COPY: few enough to take no memory, many enough to lose no time.
_BATCH = 5_000
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass
class _File:
    """One file on its way: what is read, where it is staged, how it went."""

    path: Path
    rows: Rows
    stage: str
    read: int = 0
    new: int = 0
    changed: int = 0
    seconds: float = 0.0

    def counts(self) -> dict[str, Any]:
        """What came of its rows."""
        return {
            "read": self.read,
            "new": self.new,
            "changed": self.changed,
            "same": self.read - self.new - self.changed,
            "seconds": round(self.seconds, 1),
        }

    def report(self, name: str, more: str = "") -> str:
        """Said after the commit; `more` goes between the counts and the seconds."""
        told = _("{read} read, {new} new, {changed} changed, {same} same").format(**self.counts())
        return f"{name}: {told}{more}, {self.counts()['seconds']} s"


MANUAL = Manual(
    does="Fills the example shop's OLTP from CSV files, plain or .gz; as often as you like, since "
    "what is there already is compared. A bad line is named, and then nothing is loaded.",
    reads="the files, and the OLTP.",
    changes="the example shop's tables, as OLTP_ADMIN_USER, in one transaction.",
    exits={0: "loaded", 1: "a line that is not as it must be, or a failure; nothing was loaded"},
    examples=(
        "python -m pipeline import --productos productos.csv.gz",
        "python -m pipeline import --productos productos.csv --transacciones transacciones.csv",
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "--productos",
        metavar="F",
        type=Path,
        help="products: a CSV (also .gz) with id_producto and nombre, "
        "and if there are any codigo, categoria, precio_lista",
    )
    parser.add_argument(
        "--transacciones",
        metavar="F",
        type=Path,
        help="movements: a CSV (also .gz) with id_transaccion, tipo, id_producto, cantidad, "
        "precio_unitario, costo_unitario, fecha, and if there are any id_sucursal (or "
        "id_tienda), id_sucursal_destino (or id_tienda_destino), anulada, importe and "
        "id_origen, the id_transaccion that it returns or adds cost to",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Load the files in one transaction, all or nothing, and print what was new. Returns 0.

    Raises InputError for the first line that is not as it must be, SchemaError
    where the example schema is not there, and DatabaseError.
    """
    if arguments.productos is None and arguments.transacciones is None:
        raise InputError(_("import: give --productos F, --transacciones F, or both"))
    settings = load_settings()
    products = movements = None
    branches = 0
    with ExitStack() as stack:
        if path := arguments.productos:
            rows = read_rows(path, required=PRODUCT_COLUMNS, optional=PRODUCT_OPTIONAL)
            products = _File(path, stack.enter_context(rows), "importar_productos")
        if path := arguments.transacciones:
            rows = read_rows(path, required=MOVEMENT_COLUMNS, optional=MOVEMENT_OPTIONAL)
            movements = _File(path, stack.enter_context(rows), "importar_movimientos")
        # Last, so that a file that cannot be read is told without a server.
        connection = stack.enter_context(connect(settings.oltp_admin, "import"))
        with connection.cursor() as cursor:
            _require_tables(cursor)
            _require_columns(cursor)
            cursor.execute(read_sql("oltp", "importar_etapa.sql"))
            if products:
                _stage(cursor, products, map(_product, products.rows), "id_producto")
            if movements:
                lines = _movements(movements.rows, settings.timezone)
                _stage(cursor, movements, lines, "id_transaccion")
            cursor.execute(read_sql("oltp", "importar_cerrojo.sql"))
            if products:
                _merge_products(cursor, products)
            if movements:
                branches = _merge_movements(cursor, movements)
            cursor.execute(read_sql("oltp", "importar_secuencias.sql"))
        connection.commit()
    files = {"productos": products, "transacciones": movements}
    if arguments.json:
        counts = {name: file.counts() for name, file in files.items() if file}
        print_json(counts | {"new_branches": branches})
        return 0
    for name, file in files.items():
        if file:
            made = (
                _(", {branches} new branches").format(branches=branches)
                if file is movements and branches
                else ""
            )
            print(file.report(name, made))
    return 0


def _require_tables(cursor: Cursor) -> None:
    for table in _TABLES:
        cursor.execute("SELECT to_regclass(%s) IS NULL", (f"public.{table}",))
        if _one(cursor)[0]:
            raise SchemaError(
                _(
                    "OLTP: import: there is no table public.{table}; run `python -m pipeline init "
                    "--example-oltp` first"
                ).format(table=table)
            )


def _require_columns(cursor: Cursor) -> None:
    for table, column in _LATER_COLUMNS:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = %s::regclass"
            " AND attname = %s AND NOT attisdropped)",
            (f"public.{table}", column),
        )
        if _one(cursor)[0]:
            raise SchemaError(
                _(
                    "OLTP: import: public.{table} has no column {column}; run `python -m pipeline "
                    "init --example-oltp` first"
                ).format(table=table, column=column)
            )


def _one(cursor: Cursor) -> tuple[int, ...]:
    row = cursor.fetchone()
    assert row is not None, "the statement always yields a row"
    return row


def _product(row: Row) -> tuple[object, ...]:
    list_price = row.decimal("precio_lista", minimum=0) if row.text("precio_lista") else None
    return (
        row.line,
        row.integer("id_producto"),
        row.text("codigo") or None,
        row.required_text("nombre"),
        row.text("categoria") or None,
        list_price,
    )


def _movements(rows: Rows, zone: str) -> Iterator[tuple[object, ...]]:
    branch = "id_sucursal" if "id_sucursal" in rows.columns else "id_tienda"
    target = "id_sucursal_destino" if "id_sucursal_destino" in rows.columns else "id_tienda_destino"
    for row in rows:
        kind = row.choice("tipo", tuple(_VALUED_BY))
        quantity = _quantity(row, kind)
        back = quantity is not None and rounded(quantity) < 0
        meant = _OPPOSITE[kind] if back else kind
        amounts = {n: _amount(row, n, meant) for n in ("precio_unitario", "costo_unitario")}
        valued_by = _VALUED_BY[meant]
        times = rounded(Decimal(1) if quantity is None else quantity)
        if valued_by and abs(times * rounded(amounts[valued_by] or Decimal(0))) >= _TOTAL_LIMIT:
            raise row.error(
                "cantidad",
                _("must be below {total_limit} when times {valued_by}").format(
                    total_limit=_TOTAL_LIMIT, valued_by=valued_by
                ),
            )
        yield (
            row.line,
            row.integer("id_transaccion"),
            kind,
            row.integer("id_producto"),
            quantity,
            amounts["precio_unitario"],
            amounts["costo_unitario"],
            row.moment("fecha", zone),
            row.integer(branch) if row.text(branch) else None,
            row.boolean("anulada") if row.text("anulada") else False,
            row.integer("id_origen") if row.text("id_origen") else None,
            _destination(row, kind, branch, target),
            _line_amount(row, any_sign=back or kind == "COSTO_ADICIONAL"),
        )


def _quantity(row: Row, kind: str) -> Decimal | None:
    if kind in _ONE and not row.text("cantidad"):
        return None
    if kind == "CONTEO":
        return row.decimal("cantidad", minimum=0)
    if kind in _OPPOSITE and row.text("cantidad").startswith("-"):
        value = row.decimal("cantidad")
        if rounded(value):
            return value
    return row.decimal("cantidad", above=0)


def _destination(row: Row, kind: str, branch: str, target: str) -> int | None:
    to = row.integer(target) if row.text(target) else None
    if kind == "TRASLADO":
        if to is None:
            raise row.error(target, _("must have a value"))
        if row.text(branch) and to == row.integer(branch):
            raise row.error(target, _("must be another branch than {branch}").format(branch=branch))
    return to


def _line_amount(row: Row, *, any_sign: bool) -> Decimal | None:
    if not row.text("importe"):
        return None
    return row.decimal("importe", minimum=None if any_sign else 0)


def _amount(row: Row, column: str, kind: str) -> Decimal | None:
    if row.text(column):
        signed = kind == "COSTO_ADICIONAL" and column == "costo_unitario"
        return row.decimal(column, minimum=None if signed else 0)
    if _VALUED_BY[kind] == column and kind not in _MAY_LACK_AMOUNT:
        if kind == "COSTO_ADICIONAL":
            raise row.error(column, _("must be a number, since tipo is {kind}").format(kind=kind))
        raise row.error(
            column, _("must be a number, 0 or more, since tipo is {kind}").format(kind=kind)
        )
    return None


def _copy_line(values: tuple[object, ...]) -> str:
    """One line of COPY's text format."""
    fields = ("\\N" if value is None else str(value).translate(_ESCAPES) for value in values)
    return "\t".join(fields) + "\n"


def _stage(
    cursor: Cursor, file: _File, values: Iterator[tuple[object, ...]], id_column: str
) -> None:
    """Put the rows of `file` into its temporary table; raises InputError at the first bad one."""
    began = monotonic()
    stage = sql.Identifier("pg_temp", file.stage)
    # Batches, not one stream: what is raised inside a COPY's read() comes back as a
    # cancelled statement.
    command = sql.SQL("COPY {} FROM STDIN").format(stage).as_string(cursor)
    lines = map(_copy_line, values)
    while batch := list(islice(lines, _BATCH)):
        cursor.copy_expert(command, StringIO("".join(batch)))
        file.read += len(batch)
    cursor.execute(sql.SQL("ANALYZE {}").format(stage))
    repeated = sql.SQL(read_sql("oltp", "importar_repetidos.sql")).format(etapa=stage)
    cursor.execute(repeated)
    if row := cursor.fetchone():
        line, number, earlier = row
        expected = _("must be unique, and line {earlier} has it already").format(earlier=earlier)
        raise value_error(file.path, line, id_column, number, expected)
    file.seconds += monotonic() - began


def _merge_products(cursor: Cursor, file: _File) -> None:
    began = monotonic()
    has = {column: column in file.rows.columns for column in PRODUCT_OPTIONAL}
    cursor.execute(read_sql("oltp", "importar_productos.sql"), has)
    file.new, file.changed = _one(cursor)
    file.seconds += monotonic() - began


def _merge_movements(cursor: Cursor, file: _File) -> int:
    """Merge the staged movements; returns how many branches were created."""
    began = monotonic()
    cursor.execute(read_sql("oltp", "importar_problemas.sql"))
    if problem := cursor.fetchone():
        line, reason, value = problem
        if reason == "producto":
            expected = _("must be a product of the database or of --productos")
            raise value_error(file.path, line, "id_producto", value, expected)
        if reason == "origen":
            expected = _("must be the id_transaccion of a movement of the database or of this file")
            raise value_error(file.path, line, "id_origen", value, expected)
        text = _(
            "id_transaccion {value} is a document in the database that no file brought"
        ).format(value=value)
        raise line_error(file.path, line, text)
    columns = file.rows.columns
    has = {
        "sucursal": not columns.isdisjoint(("id_sucursal", "id_tienda")),
        "anulada": "anulada" in columns,
        "destino": not columns.isdisjoint(("id_sucursal_destino", "id_tienda_destino")),
        "origen": "id_origen" in columns,
        "importe": "importe" in columns,
    }
    cursor.execute(read_sql("oltp", "importar_transacciones.sql"), has)
    file.new, file.changed, branches = _one(cursor)
    file.seconds += monotonic() - began
    return branches
