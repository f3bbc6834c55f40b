"""Load products and movements from CSV files into the example OLTP; harmless to repeat."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from pipeline.base.csv_rows import Rows, read_rows, value_error
from pipeline.base.database import connect
from pipeline.base.sql_files import read_sql
from pipeline.base.text_lines import line_error
from pipeline.commands.import_lines import (
    MOVEMENT_COLUMNS,
    MOVEMENT_OPTIONAL,
    PRODUCT_COLUMNS,
    PRODUCT_OPTIONAL,
    movement_lines,
    product_line,
)
from pipeline.commands.manual import Manual, add_json, print_json
from pipeline.errors import InputError, SchemaError
from pipeline.settings import load_settings
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

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
                _stage(cursor, products, map(product_line, products.rows), "id_producto")
            if movements:
                lines = movement_lines(movements.rows, settings.timezone)
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
