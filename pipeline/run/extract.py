"""One window's extract: what is read of the OLTP, into the window's files."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipeline import olap
from pipeline.base import progress
from pipeline.base.database import connect
from pipeline.base.logs import fields, log
from pipeline.oltp.conditions import with_rules
from pipeline.oltp.open_read import open_read, refuse_two_kinds
from pipeline.oltp.queries import Query, load_levels
from pipeline.oltp.reads import changed_since, everything
from pipeline.oltp.snapshot import HashingWriter, Snapshot, copy_out, join_in_order, wait_for_flush
from pipeline.run import catalogue
from pipeline.run.deleted import find_deleted, is_due
from pipeline.run.documents import lines_that_went
from pipeline.run.scope import read_out_of_scope
from pipeline.run.source_change import rewritten, why_everything
from pipeline.state import window as windows
from pipeline.state.receipts import horizon
from pipeline.state.request import Request, read_request
from pipeline.state.targets import DurableTarget
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg2.extensions import connection as Connection
    from psycopg2.sql import Composable

    from pipeline.olap import Control
    from pipeline.settings import Settings
    from pipeline.state.receipts import Extract, File, Levels
    from pipeline.state.window import Window


# Which file of the window each of the shop's queries is read into.
QUERIES = {
    "movimientos": "movements.csv",
    "productos": "products.csv",
    "sucursales": "branches.csv",
}


LEVELS_FILE = "levels.csv"

# Why a window reads everything with ETL_CAPTURE=full: not worth a warning each time.
READS_ALL = "ETL_CAPTURE=full"

# So many take a load that is waited for.
_MANY_ROWS = 50_000

# How many times the movements of the last window there are, if a good third of them are new.
_MANY_TIMES = 1.5


def extract_window(settings: Settings, window: Window) -> Extract:
    """Read what the OLAP does not have yet into the window's files, and write the receipt.

    The receipt (extract.json) is written last; it is returned too. Raises what
    read_oltp() raises.
    """
    request = read_request(settings, window)
    folder = windows.folder(settings.state_dir, window)
    receipt, snapshot = read_oltp(settings, window, request, folder)
    wait_for_flush(settings, snapshot)
    DurableTarget(str(windows.extract_receipt(settings.state_dir, window))).write_receipt(receipt)
    return receipt


def read_oltp(
    settings: Settings, window: Window, request: Request, folder: Path
) -> tuple[Extract, Snapshot]:
    """Read one snapshot into files of `folder`; returns what the receipt says of them.

    It carries the bounds that the next window reads from, and the control
    version that this read started from. Raises what connect() raises, and SchemaError.
    """
    started = time.monotonic()
    control = olap.read_control(settings)
    since = olap.initial_date(control) or window.desde
    run_id = secrets.token_hex(6)
    with connect(settings.oltp, "extract", read_only=True) as connection:
        source = open_read(connection, settings)
        queries, snapshot = source.queries, source.snapshot
        changed = why_everything(connection, snapshot, control)
        reason = changed
        if request.everything or request.rebuild:
            reason = reason or _("it was asked for")
        if settings.capture == "full" and reason is None:
            reason = READS_ALL
        elif reason and control["hasta"]:
            log.warning(_("%s: reads everything since %s: %s"), window, since.isoformat(), reason)
        ids = catalogue.fingerprint(connection, queries[1])
        whole_catalogue = bool(
            reason
            or request.recheck
            or ids != control["catalogo"]
            or rewritten(snapshot, control, "productos")
        )
        # What the planner takes them for.
        there = int(source.plans[0]["Plan Rows"])
        if reason:
            join_in_order(connection)
            movements = with_rules(
                queries[0], control["tipos"], lambda: olap.zone_rules(settings, since, since)
            )
            closed = control["cerrado"] is not None
            reads = [
                everything(movements, since, whatever=closed),
                *(everything(q, None) for q in queries[1:]),
            ]
        else:
            gone = _gone(settings, connection, queries[1]) if whole_catalogue else []
            reads = _what_is_new(queries, control, request, there, gone)
            if whole_catalogue:
                reads[1] = everything(queries[1], None)
            if rewritten(snapshot, control, "sucursales"):
                reads[2] = everything(queries[2], None)
        files = _copy_files(connection, folder, queries, reads)
        # Of a row that is gone nothing would be read: what is to be booked is read whole.
        books = settings.stock_differences == "adjust"
        whole = books or reason is not None or _first_of_the_day(settings, window, control)
        levels = _read_levels(connection, settings, queries[1], folder, files, control, whole)
        gone_lines, deleted = [], []
        looked = reason is None and is_due(settings, window.hasta, control)
        left_out = None
        if reason:
            # Of another server, versions say nothing of when a row was typed.
            since_then = horizon(control) if control["hasta"] and changed is None else None
            left_out = read_out_of_scope(settings, connection, movements, since, since_then)
        else:
            gone_lines = lines_that_went(
                settings, connection, queries[0], folder / "movements.csv", request.recheck
            )
            if looked:
                deleted = find_deleted(settings, connection, queries[0], control)
        connection.rollback()
    receipt: Extract = {
        "id_corrida": run_id,
        "desde": window.desde.isoformat(),
        "hasta": window.hasta.isoformat(),
        "version": control["version"],
        "desde_inicial": since.isoformat(),
        **snapshot.as_json(),
        "movimientos_oltp": there,
        "imagen_completa": reason is not None,
        "motivo_completa": reason,
        "catalogo": ids,
        "catalogo_completo": whole_catalogue,
        "reconstruir": request.rebuild,
        "orden": request.command,
        "revisados": sorted({*request.recheck, *deleted}),
        "borradas_buscadas": looked,
        "lineas_borradas": gone_lines,
        "fuera_de_alcance": left_out,
        "existencias": levels,
        "archivos": files,
        "sha256": files["movements.csv"]["sha256"],
        "segundos": round(time.monotonic() - started, 3),
    }
    _tell(window, receipt)
    return receipt, snapshot


def _what_is_new(
    queries: list[Query], control: Control, request: Request, there: int, gone: list[int]
) -> list[Composable]:
    """The reads above the last window's horizon, where the OLTP has `there` movements or so.

    All that products which are `gone` have is read, too: it waits as it stands in the OLTP.
    """
    last = horizon(control)
    many = there >= _MANY_TIMES * (control["movimientos_oltp"] or there)
    return [
        changed_since(queries[0], last, request.recheck, gone, many=many),
        *(changed_since(query, last) for query in queries[1:]),
    ]


def _gone(settings: Settings, connection: Connection, products: Query) -> list[int]:
    """The products that the OLAP knows and productos.sql yields no more."""
    with connect(settings.olap, "products", read_only=True) as analytical:
        return sorted(catalogue.came_and_went(connection, products, analytical)[1])


def _tell(window: Window, receipt: Extract) -> None:
    run_id, seconds = receipt["id_corrida"], receipt["segundos"]
    rows = receipt["archivos"]["movements.csv"]["rows"]
    log.info(
        _("%s: read %d movements and %d products in %.2f s, run %s"),
        window,
        rows,
        receipt["archivos"]["products.csv"]["rows"],
        seconds,
        run_id,
        # Of few the line of their load, a moment later, says all.
        extra=fields(
            "ExtractWindow", window, run_id, rows=rows, seconds=seconds, detail=rows < _MANY_ROWS
        ),
    )


def _copy_files(
    connection: Connection, folder: Path, queries: list[Query], reads: list[Composable]
) -> dict[str, File]:
    return {
        name: copy_to_file(connection, query, read, folder / name)
        for query, name, read in zip(queries, QUERIES.values(), reads, strict=True)
    }


def _read_levels(
    connection: Connection,
    settings: Settings,
    products: Query,
    folder: Path,
    files: dict[str, File],
    control: Control,
    whole: bool,
) -> Levels | None:
    """Read the shop's own stock into a further file, in the snapshot of the movements.

    The `whole` of it, and so where its rows have no versions, or the query was edited; it may be a
    view of the shop's that sums.
    """
    query = load_levels(connection, settings)
    if query is None:
        return None
    refuse_two_kinds(query, products)
    whole = whole or levels_are_whole(query, control)
    read = everything(query, None) if whole else changed_since(query, horizon(control))
    files[LEVELS_FILE] = copy_to_file(connection, query, read, folder / LEVELS_FILE)
    return {"consulta": _digest(query), "todas": whole}


def levels_are_whole(query: Query, control: Control) -> bool:
    """Whether the shop's own stock is read whole each time, or since its query was edited."""
    return not query.versions or control["existencias"] != _digest(query)


def _digest(query: Query) -> str:
    return hashlib.sha256(query.text.encode()).hexdigest()


def _first_of_the_day(settings: Settings, window: Window, control: Control) -> bool:
    last, zone = olap.moment(control["existencias_enteras"]), ZoneInfo(settings.timezone)
    return last is None or last.astimezone(zone).date() != window.hasta.astimezone(zone).date()


def copy_to_file(connection: Connection, query: Query, read: Composable, path: Path) -> File:
    """Write the rows of a read of `query` to a CSV file; returns what its receipt says of it."""
    with (
        DurableTarget(str(path)).replace() as stream,
        progress.stage(_("reading {file}").format(file=path.stem), _("rows")) as advance,
    ):
        writer = HashingWriter(stream, advance)
        rows = copy_out(connection, read, writer)
    return {
        "rows": rows,
        "bytes": writer.size,
        "sha256": writer.sha256,
        "columns": query.columns_read,
    }


def discard_extract(settings: Settings, window: Window) -> None:
    """Make the window be read again: its receipt goes first, then the files."""
    windows.extract_receipt(settings.state_dir, window).unlink(missing_ok=True)
    for name in (*QUERIES.values(), LEVELS_FILE):
        (windows.folder(settings.state_dir, window) / name).unlink(missing_ok=True)
