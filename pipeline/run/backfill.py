"""Backfill: earlier history, read in pieces that survive a crash, merged once."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from psycopg2.extras import Json

from pipeline import olap
from pipeline.base.database import connect
from pipeline.base.logs import log
from pipeline.base.retry import with_retries
from pipeline.errors import DataError, GuardError, PipelineError
from pipeline.oltp.conditions import with_rules
from pipeline.oltp.open_read import Source, open_read
from pipeline.oltp.queries import Query
from pipeline.oltp.reads import between, count_by_day
from pipeline.oltp.snapshot import Snapshot, read_rows, wait_for_flush, wal_position
from pipeline.run.extract import copy_to_file
from pipeline.run.refresh import refresh_views, tell_views
from pipeline.run.source_change import why_everything
from pipeline.state.process_lock import hold_lock
from pipeline.state.receipts import Bounds, Piece, horizon
from pipeline.state.targets import DurableTarget, make_private_folder
from pipeline.state.window import stamp
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings

PIECE = 200_000  # movements; a single day may exceed it


@dataclass(frozen=True)
class History:
    """The stretch `[since, until)` that is to be added; `until` is today's initial date."""

    since: datetime
    until: datetime

    def folder(self, settings: Settings) -> Path:
        """Where its pieces are kept until they are merged."""
        return settings.state_dir / f"backfill-{stamp(self.since)}"


def backfill(settings: Settings, since: datetime, accept_source: str = "") -> None:
    """Bring the movements dated from `since` (UTC) into the OLAP, and revalue forward.

    Pieces that an earlier attempt read are kept, unless the OLTP or the initial
    date changed meanwhile. The normal schedule may run beside it: only the merge
    takes the lock. `accept_source` lets what a guard named pass once. Raises PipelineError
    before the first window, and what connect() raises.
    """
    control = olap.read_control(settings)
    until = olap.initial_date(control)
    if until is None:
        raise PipelineError(
            _("there is no first run to go back from: set ETL_INITIAL_SINCE, and run RunDue")
        )
    if since >= until:
        return
    history = History(since, until)
    with _only_process(history.folder(settings)) as folder:
        plan = _plan(settings, history, control, folder)
        pieces: list[Piece] = []
        for number in range(1, len(plan["bounds"])):
            before: Bounds = pieces[-1] if pieces else control
            read = partial(_read_piece, settings, before, plan, number, folder)
            pieces.append(with_retries(read))
        try:
            merge = partial(_merge, settings, history, plan, pieces, folder, accept_source)
            counts = with_retries(merge)
        except (DataError, GuardError):
            _discard(folder)
            raise
        shutil.rmtree(folder)
    log.info(
        _("history since %s: loaded %d movements, rejected %d, revalued %d later ones"),
        since.isoformat(),
        counts.get("altas", 0),
        counts.get("rechazadas", 0),
        counts.get("revaluadas", 0),
    )
    tell_views(with_retries(lambda: refresh_views(settings)))


@contextmanager
def _only_process(folder: Path) -> Iterator[Path]:
    make_private_folder(folder)
    # Beside the folder, since the folder goes when all is done.
    lock = folder.with_name(f".{folder.name}.lock")
    with hold_lock(lock):
        make_private_folder(folder)
        yield folder


def _discard(folder: Path) -> None:
    for piece in folder.iterdir():
        piece.unlink()


def _movements(settings: Settings, source: Source, since: datetime, until: datetime) -> Query:
    types = olap.read_control(settings)["tipos"]
    return with_rules(source.queries[0], types, lambda: olap.zone_rules(settings, since, until))


def _gone_back(connection: Connection, snapshot: Snapshot, before: Bounds) -> str | None:
    """Why the OLTP is behind what it was `before`, the control row or a piece; None if it is not.

    Another server, rewritten tables or an edited query are told by the next window too, whatever
    is merged before.
    """
    if before["horizonte"] is None or before["identidad"] != snapshot.identity.as_json():
        return None
    if before["consultas"] != snapshot.queries:
        return None
    return why_everything(connection, snapshot, before)


def _still_holds(
    connection: Connection,
    plan: dict[str, Any],
    history: History,
    snapshot: Snapshot,
    folder: Path,
) -> bool:
    """Whether the plan and pieces of before are of this OLTP, and it has not gone back since."""
    pieces = [DurableTarget(str(path)) for path in folder.glob("piece-*.json")]
    return (
        plan["until"] == history.until.isoformat()
        and plan["identity"] == snapshot.identity.as_json()
        and "runs" in plan
        and not any(
            why_everything(connection, snapshot, cast(Bounds, piece.read_receipt()))
            for piece in pieces
        )
    )


def _plan(
    settings: Settings, history: History, control: olap.Control, folder: Path
) -> dict[str, Any]:
    """The bounds of the pieces; those of an earlier attempt while they still hold."""
    target = DurableTarget(str(folder / "plan.json"))
    with connect(settings.oltp, "backfill", read_only=True) as connection:
        source = open_read(connection, settings)
        snapshot = source.snapshot
        # The merge lowers the horizon, by which the next window would notice.
        if reason := _gone_back(connection, snapshot, control):
            raise PipelineError(
                _("{reason}: let RunDue read everything again, then go on with Backfill").format(
                    reason=reason
                )
            )
        if target.exists():
            plan = target.read_receipt()
            if _still_holds(connection, plan, history, snapshot, folder):
                return plan
            log.warning(_("the OLTP or the initial date changed: the history is read anew"))
            _discard(folder)
        query = _movements(settings, source, history.since, history.until)
        days = read_rows(connection, count_by_day(query, history.since, history.until))
    bounds = [history.since]
    size = 0
    for day, rows in days:
        if size and size + rows > PIECE:
            bounds.append(min(max(day, history.since), history.until))
            size = 0
        size += rows
    bounds.append(history.until)
    plan = {
        "until": history.until.isoformat(),
        "identity": snapshot.identity.as_json(),
        # The last run that the OLAP had then: the merge asks what those after it were.
        "runs": control["corridas"],
        "bounds": [bound.isoformat() for bound in bounds],
    }
    target.write_receipt(plan)
    return plan


def _read_piece(
    settings: Settings, before: Bounds, plan: dict[str, Any], number: int, folder: Path
) -> Piece:
    """Read one piece in a snapshot of its own, unless it is there already.

    `before` is the piece before it, or the control row.
    """
    target = DurableTarget(str(folder / f"piece-{number:04}.json"))
    if target.exists():
        return cast(Piece, target.read_receipt())
    since, until = (datetime.fromisoformat(plan["bounds"][n]) for n in (number - 1, number))
    name = f"piece-{number:04}.csv"
    with connect(settings.oltp, "backfill", read_only=True) as connection:
        source = open_read(connection, settings)
        snapshot = source.snapshot
        if snapshot.identity.as_json() != plan["identity"] or _gone_back(
            connection, snapshot, before
        ):
            raise PipelineError(
                _(
                    "the OLTP changed while its history was read (restored, rolled back, failed "
                    "over or its tables rewritten); run again, and it is read anew"
                )
            )
        query = _movements(settings, source, since, until)
        file = copy_to_file(connection, query, between(query, since, until), folder / name)
        connection.rollback()
    wait_for_flush(settings, snapshot)
    receipt: Piece = {"name": name, **file, **snapshot.as_json()}
    target.write_receipt(receipt)
    log.info(
        _("history piece %d of %d: %d movements from %s"),
        number,
        len(plan["bounds"]) - 1,
        file["rows"],
        since.date(),
    )
    return receipt


def _merge(
    settings: Settings,
    history: History,
    plan: dict[str, Any],
    pieces: list[Piece],
    folder: Path,
    accept_source: str,
) -> dict[str, int]:
    """All pieces into the OLAP in one transaction; the counts, none if it was done before."""
    extract = {
        "id_corrida": secrets.token_hex(6),
        "desde": history.since.isoformat(),
        "hasta": history.until.isoformat(),
        # What changed after the first piece was read comes with the next window.
        "horizonte": str(min(horizon(piece) for piece in pieces)),
        "identidad": pieces[0]["identidad"],
        "leida": pieces[0]["leida"],
        "lsn": max((str(piece["lsn"]) for piece in pieces), key=wal_position),
        "corridas": plan["runs"],
        "imagen_completa": False,
        "motivo_completa": None,
        "orden": "luigi --module pipeline Backfill --local-scheduler"
        f" --since {history.since.isoformat()}",
    }
    with connect(settings.olap, "backfill") as connection:
        verdict = olap.call(
            connection,
            "SELECT etl.abrir_historia(%s, %s)",
            (history.since, settings.timezone),
        )
        if verdict != "cargar":
            return {}
        olap.accept(connection, olap.Accepted(accept_source))
        for piece in pieces:
            olap.copy_file(connection, folder / piece["name"], olap.STAGED_MOVEMENTS, piece)
        counts = olap.call(
            connection,
            "SELECT etl.cargar_historia(%s, %s)",
            (Json(extract), Json(olap.options(settings))),
        )
        connection.commit()
        return dict(counts)
