"""One window's load: the verdict under the lock, and the one transaction that follows from it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

from pipeline import olap
from pipeline.base.database import connect
from pipeline.base.logs import fields, log
from pipeline.errors import DataError, GuardError, StateError
from pipeline.run import adjustments, corrections, differences
from pipeline.run.extract import discard_extract, extract_window
from pipeline.state import window as windows
from pipeline.state.receipts import Extract, Load
from pipeline.state.request import withdraw_request
from pipeline.state.targets import DurableTarget
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings
    from pipeline.state.window import Window


READS = 5  # how often a window is read anew where other runs load in between


_NOTHING = olap.Accepted()


def load_window(settings: Settings, window: Window, accepted: olap.Accepted = _NOTHING) -> Load:
    """Load the window's extract, once, and return the receipt.

    The receipt says what became of the window: loaded now, loaded before, or
    superseded by a run that won. An extract read from another control version, or that
    another run has discarded meanwhile, is read again at once. `accepted` is what
    this run lets pass. One that fails on its data is discarded, since the shop
    may correct the rows meanwhile: DataError or GuardError say why. What the window was
    asked for beyond the ordinary is withdrawn then, so that the next run is not
    held by what it need not read.
    """
    for _attempt in range(READS):
        if not windows.extract_receipt(settings.state_dir, window).exists():
            # A run to which nothing was accepted had it first, and was held.
            extract_window(settings, window)
        extract = _read_extract(settings, window)
        started = time.monotonic()
        try:
            verdict, counts = _try_load(settings, window, extract, accepted)
        except (DataError, GuardError):
            discard_extract(settings, window)
            withdraw_request(settings, window)
            raise
        if verdict == "releer":
            log.info(
                _("%s: another run changed the OLAP since the read; reading again, run %s ends"),
                window,
                extract["id_corrida"],
                extra=fields("LoadOLAP", window, extract["id_corrida"]),
            )
            extract_window(settings, window)
            continue
        receipt: Load = {
            "window": window.label,
            "run_id": extract["id_corrida"],
            "superseded": verdict == "superada",
            "already_loaded": verdict == "ya_cargada",
            "counts": counts,
            "seconds": round(time.monotonic() - started, 3),
        }
        _tell(window, receipt, extract["archivos"]["movements.csv"]["rows"])
        return receipt
    raise StateError(
        _("{window}: other runs changed the OLAP during {reads} reads; run again").format(
            window=window, reads=READS
        )
    )


def _read_extract(settings: Settings, window: Window) -> Extract:
    target = DurableTarget(str(windows.extract_receipt(settings.state_dir, window)))
    try:
        extract = target.read_receipt()
        if not {"version", "archivos", "id_corrida"} <= extract.keys():
            raise StateError(_("{path} is not the receipt of an extract").format(path=target.path))
    except StateError as error:
        discard_extract(settings, window)
        raise DataError(
            _("{error}; it was discarded: run again, and it is read anew").format(error=error)
        ) from error
    return cast(Extract, extract)


def _try_load(
    settings: Settings, window: Window, extract: Extract, accepted: olap.Accepted
) -> tuple[str, dict[str, Any]]:
    folder = windows.folder(settings.state_dir, window)
    with connect(settings.olap, "load") as connection:
        verdict, counts = load_files(connection, settings, window, extract, folder, accepted)
        if verdict == "cargar":
            connection.commit()
    return verdict, counts


def load_files(
    connection: Connection,
    settings: Settings,
    window: Window,
    extract: Extract,
    folder: Path,
    accepted: olap.Accepted,
) -> tuple[str, dict[str, Any]]:
    """The load's one transaction, but for its commit: the verdict, and the counts if it loads."""
    verdict = olap.open_window(connection, settings, window, extract)
    if verdict != "cargar":
        return verdict, {}
    olap.accept(connection, accepted)
    if settings.shop:
        olap.adopt(connection, settings)
    olap.copy_in(connection, folder, extract["archivos"])
    return verdict, olap.load_staged(connection, settings, extract)


def _tell(window: Window, receipt: Load, read: int) -> None:
    """Log what became of the window, of which so many movements were `read`."""
    run_id = receipt["run_id"]
    extra = fields("LoadOLAP", window, run_id, seconds=receipt["seconds"])
    if receipt["superseded"]:
        log.warning(
            _("%s: superseded by a run that loaded first; nothing was loaded, run %s"),
            window,
            run_id,
            extra=extra,
        )
    elif receipt["already_loaded"]:
        log.info(
            _("%s: the OLAP has it already; only the receipt was missing, run %s"),
            window,
            run_id,
            extra=extra,
        )
    else:
        counts = receipt["counts"]
        extra["rows"] = counts["altas"]
        if not _has_news(counts, read):
            log.info(_("%s: nothing new, run %s"), window, run_id, extra=extra)
            return
        log.info(
            _(
                "%s: loaded %d new or changed, removed %d, rejected %d, revalued %d in %.2f s, "
                "run %s"
            ),
            window,
            counts["altas"],
            counts["retiradas"],
            counts["rechazadas"],
            counts["revaluadas"],
            receipt["seconds"],
            run_id,
            extra=extra,
        )
        if counts.get("perdidas"):
            log.warning(
                _(
                    "%s: %d valued movements lost their product, and wait as rejects: was it "
                    "deleted (ON DELETE SET NULL)? movimientos.sql must keep what was sold"
                ),
                window,
                counts["perdidas"],
                extra=extra,
            )
        if deleted := counts.get("borradas", 0) - counts.get("reescritas", 0):
            log.warning(
                _("%s: %d movements are deleted in the OLTP, and left the ledger"),
                window,
                deleted,
                extra=extra,
            )
        if booked := counts["correcciones"]:
            log.info(
                _("%s: of what is closed up to %s, booked at its end: %s"),
                window,
                booked["cierre"]["dia"],
                corrections.in_words(corrections.for_machines(booked["carga"])),
                extra=extra,
            )
        if counts.get("diferencias_nuevas"):
            log.warning(
                _("%s: of %d products the stock is newly not the shop's own; in all %s"),
                window,
                counts["diferencias_nuevas"],
                differences.in_words(counts["diferencias"]),
                extra=extra,
            )
        if booked := counts.get("ajustes"):
            log.info(
                _("%s: booked as the shop's own stock: %s"),
                window,
                adjustments.in_words(booked),
                extra=extra,
            )
        if counts.get("referencias_cambiadas"):
            log.warning(
                _(
                    "%s: of %d products the cost of reference is another (costo_referencia): all "
                    "that is not closed of them was valued again"
                ),
                window,
                counts["referencias_cambiadas"],
                extra=extra,
            )
        if counts.get("tasas_reescritas"):
            log.warning(
                _(
                    "%s: the tax of %d of the products that are sold was changed without a date, "
                    "and with it all net sales that are not closed, up to the first rate that has "
                    "one; a rate that holds from a day on is a row of its own in "
                    "dw.politica_precio, with desde"
                ),
                window,
                counts["tasas_reescritas"],
                extra=extra,
            )
        if counts.get("existencias_cambiadas"):
            log.warning(
                _(
                    "%s: of %d products productos.sql now says otherwise whether they have a stock "
                    "(inventariable): all that is not closed of them was valued again"
                ),
                window,
                counts["existencias_cambiadas"],
                extra=extra,
            )


def _has_news(counts: dict[str, Any], read: int) -> bool:
    """Whether a load did anything, or must be told of: rejects that wait are tried in each."""
    told = ("perdidas", "correcciones", "diferencias_nuevas", "ajustes", "tasas_reescritas")
    done = ("altas", "retiradas", "revaluadas", "existencias_cambiadas", *told)
    return bool(any(counts.get(name) for name in done) or (read and counts["rechazadas"]))
