"""COPY of an extract into the OLAP's staging tables, and the load of what is staged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import sql
from psycopg2.extras import Json

from pipeline.base import progress
from pipeline.base.database import call
from pipeline.errors import DataError
from pipeline.olap.control import options
from pipeline.state.window import Window
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings
    from pipeline.state.receipts import Extract, File

# Which staging table each file of an extract goes to; the columns are those of a file that does not
# tell its own, since an earlier release wrote it.
STAGED_MOVEMENTS = (
    "etl.etapa (id_movimiento, tipo, id_producto, id_sucursal, cantidad, "
    "precio_unitario, costo_unitario, fecha, anulado)"
)
_STAGING = {
    "products.csv": "etl.etapa_producto (id_producto, codigo, nombre, categoria)",
    "branches.csv": "etl.etapa_sucursal (id_sucursal, nombre)",
    "movements.csv": STAGED_MOVEMENTS,
    "levels.csv": "etl.etapa_existencia (id_producto, id_sucursal, existencias, costo_referencia)",
}


# What of the counts is no number.
_TOLD = ("fuera_nuevas", "correcciones", "diferencias", "ajustes", "salidas")


def open_window(
    connection: Connection, settings: Settings, window: Window, extract: Extract
) -> str:
    """Take the lock and hear the verdict: cargar, ya_cargada, superada or releer."""
    return str(
        call(
            connection,
            "SELECT etl.abrir_ventana(%s, %s, %s::uuid, %s)",
            (window.desde, window.hasta, extract["version"], settings.timezone),
        )
    )


class _HashingReader:
    """Feeds a file to COPY, hashing what passes, so that it is read only once."""

    def __init__(self, path: Path, advance: Callable[[int], None]) -> None:
        self._stream = path.open("rb")
        self._digest = hashlib.sha256()
        self._advance = advance

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._digest.update(data)
        self._advance(len(data))
        return data

    def readline(self, size: int = -1) -> bytes:
        """Part of what psycopg2 asks of a file; COPY does not call it."""
        return self.read(size)

    def finish(self) -> str:
        """The sha256 of the whole file, also when COPY stopped early."""
        while self.read(1 << 20):
            pass
        self._stream.close()
        return self._digest.hexdigest()


def copy_in(connection: Connection, folder: Path, files: Mapping[str, File]) -> None:
    """Fill the staging tables from an extract's files.

    Raises DataError when a file is not the one that the receipt describes (missing,
    truncated, changed). One that is not needed any more is not looked at.
    """
    for name, target in _STAGING.items():
        if name in files:
            copy_file(connection, folder / name, target, files[name])


def copy_file(connection: Connection, path: Path, target: str, expected: File) -> None:
    """COPY one file of an extract into `target`; `expected` are its bytes and sha256."""
    corrupt = DataError(
        _(
            "{path} is corrupt or truncated (its sha256 is not the one in its receipt); "
            "it was discarded: run again, and it is read anew"
        ).format(path=path)
    )
    if not path.is_file() or path.stat().st_size != expected["bytes"]:
        raise corrupt
    with progress.stage(
        _("staging {file}").format(file=path.stem), "bytes", expected["bytes"]
    ) as advance:
        _stage_file(connection, _HashingReader(path, advance), target, expected, corrupt)


def _stage_file(
    connection: Connection,
    reader: _HashingReader,
    target: str,
    expected: File,
    corrupt: DataError,
) -> None:
    try:
        with connection.cursor() as cursor:
            command = _copy_command(target, expected).as_string(cursor)
            cursor.copy_expert(command, reader, 1 << 16)
    except psycopg2.DataError:
        if reader.finish() != expected["sha256"]:
            raise corrupt from None
        raise
    if reader.finish() != expected["sha256"]:
        raise corrupt


def _copy_command(target: str, expected: File) -> sql.Composable:
    table, _, columns = target.partition(" ")
    named: sql.Composable = sql.SQL(columns)
    if told := expected.get("columns"):
        named = sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Identifier, told)))
    return sql.SQL("COPY {} {} FROM STDIN (FORMAT csv)").format(sql.SQL(table), named)


def load_staged(connection: Connection, settings: Settings, extract: Extract) -> dict[str, Any]:
    """Value and load what copy_in() staged; the caller commits. Returns the counts.

    Beside them, as `fuera_nuevas`, what etl.anotar_fuera_de_alcance() gives, and as
    `correcciones` what etl.contar_correcciones() does. So `diferencias` and
    etl.resumir_diferencias(), where any is new, and `ajustes` and etl.resumir_ajustes(), where any
    was booked; else None. Then `salidas` are what etl.contar_salidas() gave before.
    """
    rows = extract["archivos"]["movements.csv"]["rows"]
    with progress.stage(_("valuing {rows:,} movements").format(rows=rows)):
        counts = call(
            connection,
            "SELECT etl.cargar_ventana(%s, %s)",
            (Json(extract), Json(options(settings))),
        )
    told = {name: counts.pop(name, None) for name in _TOLD}
    return {name: int(value) for name, value in counts.items()} | told
