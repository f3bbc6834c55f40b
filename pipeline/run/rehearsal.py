"""A run rehearsed: what is due is read and loaded for real, and taken back."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pipeline import olap
from pipeline.base.database import connect
from pipeline.errors import DataError, GuardError, StateError
from pipeline.run.due import find_pending, first_start
from pipeline.run.extract import read_oltp
from pipeline.run.load import READS, load_files
from pipeline.state.request import Request, read_request
from pipeline.state.window import Window, whole_second, windows_in
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings
    from pipeline.state.receipts import Extract

_FOR_EVER = 10**9  # days


@dataclass(frozen=True)
class Loaded:
    """What a load did before it was taken back.

    `reasons` are how many movements are rejected for which reason; `before` and `after` are
    what etl.cifras_ensayo() gives there, `after` also with what left the ledger. `out_of_scope` is
    etl.resumir_fuera_de_alcance()'s.
    """

    counts: dict[str, Any]
    reasons: dict[str, int]
    before: dict[str, Any]
    after: dict[str, Any]
    out_of_scope: dict[str, Any]


@dataclass(frozen=True)
class Rehearsal:
    """The window that is due, its extract's receipt, and what would come of it.

    `held` is the failure that would hold the window; `loaded` is then what would come of it if no
    guard did, None where its rows cannot be loaded. `out_of_scope` is what would be listed after
    it, else what is: see etl.resumir_fuera_de_alcance().
    """

    pending: Window | None
    window: Window
    extract: Extract
    held: DataError | GuardError | None
    loaded: Loaded | None
    out_of_scope: dict[str, Any]


def rehearse(
    settings: Settings, request: Request | None = None, accept_source: str = ""
) -> Rehearsal:
    """Rehearse the next run, with `request` or else with what its window was asked for.

    Again where a run loads in between. Nothing is written; the load holds the OLAP's lock.
    Raises what read_oltp() raises.
    """
    for _attempt in range(READS):
        pending, window = _due(settings)
        if request is not None:
            asked = request
        else:
            asked = Request() if pending is None else read_request(settings, pending)
        with TemporaryDirectory(prefix="pipeline-plan-") as name:
            extract = read_oltp(settings, window, asked, Path(name))[0]
            load = partial(_load_and_take_back, window, extract, Path(name), accept_source)
            held: DataError | GuardError | None = None
            try:
                verdict, loaded = load(settings)
            except DataError as failure:
                held, verdict, loaded = failure, "cargar", None
            except GuardError as failure:
                held = failure
                verdict, loaded = _if_accepted(partial(load, settings, unguarded=True))
        if verdict == "cargar":
            listed = loaded.out_of_scope if loaded else _listed_already(settings)
            return Rehearsal(pending, window, extract, held, loaded, listed)
    raise StateError(
        _("other runs changed the OLAP during {reads} reads; run it again").format(reads=READS)
    )


def _due(settings: Settings) -> tuple[Window | None, Window]:
    """The unfinished window if it has yet to be loaded, and what is due with it."""
    control = olap.read_control(settings)
    loaded = olap.loaded_windows(settings, windows_in(settings.state_dir))
    pending = find_pending(settings, control, loaded)
    if pending in loaded:
        # Only its views or its marker are missing.
        pending = None
    now = whole_second(datetime.now(UTC))
    start = pending.desde if pending else olap.last_run(control) or first_start(settings, now)
    return pending, Window(start, max(now, start))


def _load_and_take_back(
    window: Window,
    extract: Extract,
    folder: Path,
    accept_source: str,
    settings: Settings,
    *,
    unguarded: bool = False,
) -> tuple[str, Loaded | None]:
    """The verdict, and what the load did if it loads; `unguarded` whatever a guard says of it."""
    if unguarded:
        settings = _without_guards(settings)
    with connect(settings.olap, "rehearsal") as connection:
        before = _figures(connection)
        accepted = olap.Accepted(accept_source, adjustments=unguarded)
        verdict, counts = load_files(connection, settings, window, extract, folder, accepted)
        reasons = olap.call(connection, "SELECT etl.motivos_de_rechazo()")
        after = _figures(connection) | (counts.get("salidas") or {})
        left_out = olap.call(connection, "SELECT etl.resumir_fuera_de_alcance()")
        connection.rollback()
    done = Loaded(counts, reasons, before, after, left_out)
    return verdict, done if verdict == "cargar" else None


def _without_guards(settings: Settings) -> Settings:
    return replace(settings, max_removed_share=1, max_reject_share=1, max_silent_days=_FOR_EVER)


def _if_accepted(load: partial[tuple[str, Loaded | None]]) -> tuple[str, Loaded | None]:
    try:
        return load()
    except (DataError, GuardError):
        return "cargar", None


def _listed_already(settings: Settings) -> dict[str, Any]:
    with connect(settings.olap, "rehearsal", read_only=True) as connection:
        return dict(olap.call(connection, "SELECT etl.resumir_fuera_de_alcance()"))


def _figures(connection: Connection) -> dict[str, Any]:
    figures = olap.call(connection, "SELECT etl.cifras_ensayo()::text")
    return dict(json.loads(figures, parse_float=Decimal, parse_int=Decimal))
