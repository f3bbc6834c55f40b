"""One window's extract: what is read of the OLTP, into the window's files."""

from __future__ import annotations

import logging
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import olap
from pipeline import window as windows
from pipeline.database import connect
from pipeline.oltp import (
    HashingWriter,
    Snapshot,
    begin_snapshot,
    copy_out,
    take_snapshot,
    wait_for_flush,
    why_everything,
)
from pipeline.queries import changed_since, everything, load_query, source_tables
from pipeline.targets import DurableTarget

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg2.extensions import connection as Connection

    from pipeline.queries import Query
    from pipeline.settings import Settings
    from pipeline.window import Window

log = logging.getLogger("luigi-interface.pipeline")


def extract_window(settings: Settings, window: Window) -> dict[str, Any]:
    """Read what the OLAP does not have yet, and write it into the window's files.

    The receipt (extract.json) is written last; it is returned too. It carries the
    bounds that the next window reads from, and the control version that this
    read started from. Raises what connect() raises, and SchemaError.
    """
    started = time.monotonic()
    control = olap.read_control(settings)
    with connect(settings.oltp, settings.timezone, "extract", read_only=True) as connection:
        begin_snapshot(connection)
        queries = [
            load_query(connection, settings, name)
            for name in ("movimientos", "productos", "sucursales")
        ]
        snapshot = take_snapshot(connection, source_tables(connection, queries))
        reason = why_everything(snapshot, control)
        since = olap.initial_date(control) or window.desde
        if reason and control["hasta"]:
            log.warning("%s: reads everything since %s, because %s", window, since, reason)
        horizon = None if reason else int(control["horizonte"])
        files = _copy_files(connection, settings, window, queries, horizon, since)
        connection.rollback()
    wait_for_flush(settings, snapshot)
    receipt = {
        "id_corrida": secrets.token_hex(6),
        "desde": window.desde.isoformat(),
        "hasta": window.hasta.isoformat(),
        "version": control["version"],
        "desde_inicial": since.isoformat(),
        **_bounds(snapshot),
        "imagen_completa": reason is not None,
        "motivo_completa": reason,
        "archivos": files,
        "sha256": files["movements.csv"]["sha256"],
        "segundos": round(time.monotonic() - started, 3),
    }
    DurableTarget(str(windows.extract_receipt(settings.state_dir, window))).write_receipt(receipt)
    log.info(
        "%s: read %d movements and %d products in %.2f s",
        window,
        files["movements.csv"]["rows"],
        files["products.csv"]["rows"],
        receipt["segundos"],
    )
    return receipt


def _bounds(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "leida": snapshot.moment.isoformat(),
        "horizonte": str(snapshot.horizon),
        "lsn": snapshot.lsn,
        "identidad": snapshot.identity.as_json(),
    }


def _copy_files(
    connection: Connection,
    settings: Settings,
    window: Window,
    queries: list[Query],
    horizon: int | None,
    since: datetime,
) -> dict[str, Any]:
    state = settings.state_dir
    paths = (
        windows.movements_file(state, window),
        windows.products_file(state, window),
        windows.branches_file(state, window),
    )
    files: dict[str, Any] = {}
    for query, path in zip(queries, paths, strict=True):
        if horizon is not None:
            read = changed_since(query, horizon)
        else:
            read = everything(query, since if query.name == "movimientos" else None)
        with DurableTarget(str(path)).replace() as stream:
            writer = HashingWriter(stream)
            rows = copy_out(connection, read, writer)
        files[path.name] = {"rows": rows, "bytes": writer.size, "sha256": writer.sha256}
    return files


def discard_extract(settings: Settings, window: Window) -> None:
    """Make the window be read again: its receipt goes first, then the files."""
    state = settings.state_dir
    for path in (
        windows.extract_receipt(state, window),
        windows.movements_file(state, window),
        windows.products_file(state, window),
        windows.branches_file(state, window),
    ):
        Path(path).unlink(missing_ok=True)
