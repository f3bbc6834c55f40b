"""The OLAP: its control row, COPY in, and the load."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extras import Json

from pipeline import progress
from pipeline.database import call as call
from pipeline.database import connect
from pipeline.errors import DatabaseError, DataError
from pipeline.window import Window
from pipeline.zone_rules import Rules, server_rules

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings

SCHEMA_VERSION = 9

# Which staging table each file of an extract goes to, and its columns in the file's order.
STAGED_MOVEMENTS = (
    "etl.etapa (id_movimiento, tipo, id_producto, id_sucursal, cantidad, "
    "precio_unitario, costo_unitario, fecha, anulado)"
)
_STAGING = {
    "products.csv": "etl.etapa_producto (id_producto, codigo, nombre, categoria)",
    "branches.csv": "etl.etapa_sucursal (id_sucursal, nombre)",
    "movements.csv": STAGED_MOVEMENTS,
}


def read_control(settings: Settings) -> dict[str, Any]:
    """The control row, as etl.leer_control() gives it.

    Raises DatabaseError when the OLAP is not initialised, is of another version,
    or was loaded in another time zone.
    """
    with connect(settings.olap, settings.timezone, "control", read_only=True) as connection:
        control = call(connection, "SELECT etl.leer_control()")
    if control is None:
        raise DatabaseError("OLAP: it is not initialised; run `python -m pipeline init`")
    if control["esquema"] != SCHEMA_VERSION:
        raise DatabaseError(
            f"OLAP: its objects are of version {control['esquema']}, this program needs "
            f"{SCHEMA_VERSION}; "
            + (
                "run `python -m pipeline init`"
                if control["esquema"] < SCHEMA_VERSION
                else "upgrade this program"
            )
        )
    if control["zona"] not in (None, settings.timezone):
        raise DatabaseError(
            f"OLAP: it was loaded in {control['zona']}, but ETL_TIMEZONE is {settings.timezone}, "
            f"and days would shift; set ETL_TIMEZONE={control['zona']}"
        )
    return dict(control)


def moment(text: str | None) -> datetime | None:
    """A time of the control row in UTC, or None.

    The session's zone decides how PostgreSQL writes it, and a window is labelled in UTC.
    """
    if text is None:
        return None
    return datetime.fromisoformat(text).astimezone(UTC)


def last_run(control: dict[str, Any]) -> datetime | None:
    """The end of the last window loaded; None before the first."""
    return moment(control["hasta"])


def initial_date(control: dict[str, Any]) -> datetime | None:
    """The date from which movements are in scope; None before the first load fixes it."""
    return moment(control["desde_inicial"])


def zone_rules(settings: Settings, since: datetime, until: datetime) -> Rules:
    """What the OLAP knows of the shop's zone between these moments; it cuts days and months so."""
    with connect(settings.olap, settings.timezone, "time zone", read_only=True) as connection:
        return server_rules(connection, settings.timezone, since, until)


def loaded_windows(settings: Settings, windows: Iterable[Window]) -> set[Window]:
    """Those of `windows` that the OLAP really has."""
    asked = list(windows)
    if not asked:
        return set()
    with (
        connect(settings.olap, settings.timezone, "control", read_only=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "SELECT * FROM etl.ventanas_cargadas(%s::timestamptz[], %s::timestamptz[])",
            ([window.desde for window in asked], [window.hasta for window in asked]),
        )
        found = set(cursor.fetchall())
    return {window for window in asked if (window.desde, window.hasta) in found}


def accept_source(settings: Settings, identity: str) -> None:
    """Let one load of that OLTP pass, however much it removes or replaces."""
    with connect(settings.olap, settings.timezone, "accept source") as connection:
        call(connection, "SELECT etl.aceptar_fuente(%s)", (identity,))
        connection.commit()


def open_window(
    connection: Connection, settings: Settings, window: Window, extract: dict[str, Any]
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


def copy_in(connection: Connection, folder: Path, files: dict[str, Any]) -> None:
    """Fill the staging tables from an extract's files.

    Raises DataError when a file is not the one that the receipt describes (missing,
    truncated, changed). One that is not needed any more is not looked at.
    """
    for name, target in _STAGING.items():
        copy_file(connection, folder / name, target, files[name])


def copy_file(connection: Connection, path: Path, target: str, expected: dict[str, Any]) -> None:
    """COPY one file of an extract into `target`; `expected` are its bytes and sha256."""
    corrupt = DataError(
        f"{path} is corrupt or truncated (its sha256 is not the one in its receipt); "
        "it was discarded: run again, and it is read anew"
    )
    if not path.is_file() or path.stat().st_size != expected["bytes"]:
        raise corrupt
    with progress.stage(f"staging {path.stem}", "bytes", expected["bytes"]) as advance:
        _stage_file(connection, _HashingReader(path, advance), target, expected, corrupt)


def _stage_file(
    connection: Connection,
    reader: _HashingReader,
    target: str,
    expected: dict[str, Any],
    corrupt: DataError,
) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {target} FROM STDIN (FORMAT csv)", reader, 1 << 16)
    except psycopg2.DataError:
        if reader.finish() != expected["sha256"]:
            raise corrupt from None
        raise
    if reader.finish() != expected["sha256"]:
        raise corrupt


def load_staged(
    connection: Connection, settings: Settings, extract: dict[str, Any]
) -> dict[str, Any]:
    """Value and load what copy_in() staged; the caller commits. Returns the counts.

    Beside them, as `fuera_nuevas`, what etl.anotar_fuera_de_alcance() gives.
    """
    rows = extract["archivos"]["movements.csv"]["rows"]
    with progress.stage(f"valuing {rows:,} movements"):
        counts = call(
            connection,
            "SELECT etl.cargar_ventana(%s, %s)",
            (Json(extract), Json(options(settings))),
        )
    new = counts.pop("fuera_nuevas", [])
    return {name: int(value) for name, value in counts.items()} | {"fuera_nuevas": new}


def options(settings: Settings) -> dict[str, Any]:
    """The settings that the functions of sql/olap take."""
    return {
        "zona": settings.timezone,
        "incluye_impuesto": settings.prices_include_tax,
        "max_rechazo": settings.max_reject_share,
        "max_retiro": settings.max_removed_share,
        "max_silencio": settings.max_silent_days,
        "factor_salto": settings.cost_jump_factor,
    }


def operation_state(settings: Settings, windows: int) -> dict[str, Any]:
    """What the status command shows, as etl.estado_operacion() gives it; fractions as Decimals."""
    with connect(settings.olap, settings.timezone, "status", read_only=True) as connection:
        state = call(connection, "SELECT etl.estado_operacion(%s)::text", (windows,))
    return dict(json.loads(state, parse_float=Decimal))


def metrics(settings: Settings) -> dict[str, Any]:
    """The figures of the last window and of the stock, as etl.metricas() gives them.

    Raises what connect() raises, also when they take longer than ten seconds.
    """
    with connect(settings.olap, settings.timezone, "metrics", read_only=True) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '10s'")
        return dict(call(connection, "SELECT etl.metricas()"))
