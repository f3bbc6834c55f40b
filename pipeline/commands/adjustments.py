"""List what was booked to make the stock the shop's own, and carry it to another OLAP."""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg2.extras import Json

from pipeline import olap
from pipeline.base.csv_rows import Row, read_rows
from pipeline.base.database import connect
from pipeline.base.text_lines import line_error
from pipeline.base.text_tables import print_table
from pipeline.commands.manual import Manual, add_json, print_json
from pipeline.run.proof import minute
from pipeline.run.refresh import refresh_views
from pipeline.settings import load_settings
from pipeline.state.replacing import replacing
from pipeline.telling.after_run import views_refreshed
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.settings import Settings

_WINDOW = ("desde", "hasta", "fecha")
_NUMBERS = ("id_movimiento", "id_producto", "id_sucursal", "deshace")
_FILE = ("id_movimiento", *_WINDOW, "id_producto", "id_sucursal", "cantidad", "deshace")
_PROOF = "prueba"
_COLUMNS = (*_FILE, "codigo", "nombre", "sucursal", "valor")
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_MICROSECONDS = "%Y-%m-%dT%H:%M:%S.%fZ"
_SHOWN = 20

MANUAL = Manual(
    does="Lists the last adjustments: what ETL_STOCK_DIFFERENCES=adjust booked so that the stock "
    "is the shop's own. No OLTP has them: --output writes all of them to a file, and --import "
    "takes that file into another OLAP of the same shop, before it books any itself, where they "
    "enter the ledger at once. It refuses a file that was edited, or lacks a line before others; "
    "and where that OLAP has booked one of the same product and branch since the oldest of them, "
    "or one of the product as a whole and the other by branch.",
    reads="the OLAP; with --import the file.",
    changes="nothing; with --output the file; with --import the OLAP's adjustments, ledger, stock "
    "and summaries, in one transaction, then the views.",
    exits={0: "done", 1: "a line that is not as it was booked, or a failure; nothing was changed"},
    examples=(
        "python -m pipeline adjustments",
        "python -m pipeline adjustments --output ajustes.csv",
        "python -m pipeline adjustments --import ajustes.csv",
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--output", metavar="FILE", type=Path, help="write all of them to this CSV")
    way.add_argument(
        "--import", dest="file", metavar="FILE", type=Path, help="take in what --output wrote"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """List, write or take in. Returns 0."""
    settings = load_settings()
    control = olap.read_control(settings)
    if arguments.file:
        done = _take_in(settings, arguments.file, loaded=olap.last_run(control) is not None)
        if arguments.json:
            print_json(done)
        else:
            print(
                _("{taken} adjustments taken in, {ledger} of them into the ledger").format(**done)
            )
        return 0
    limit = None if arguments.output else _SHOWN
    rows = _read(settings, limit)
    if arguments.output:
        _write(arguments.output, rows)
        if arguments.json:
            print_json({"written": len(rows), "file": str(arguments.output)})
        else:
            print(
                _("{rows} adjustments written to {file}").format(
                    rows=len(rows), file=arguments.output
                )
            )
    elif arguments.json:
        print_json({"adjustments": [{k: _plain(v) for k, v in row.items()} for row in rows]})
    else:
        _show(rows)
    return 0


def _read(settings: Settings, limit: int | None) -> list[dict[str, Any]]:
    with (
        connect(settings.olap, "adjustments", read_only=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM etl.listar_ajustes(%s)", (limit,))
        return [dict(zip(_COLUMNS, row, strict=True)) for row in cursor.fetchall()]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, int):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    with replacing(path.absolute(), 0o600) as stream:
        writer = csv.writer(_Text(stream), lineterminator="\n")
        writer.writerow((*_FILE, _PROOF))
        proof = ""
        # What undoes another comes after it.
        for row in reversed(rows):
            values = {
                **row,
                **{name: row[name].astimezone(UTC).strftime(_MICROSECONDS) for name in _WINDOW},
            }
            fields = ["" if values[name] is None else str(values[name]) for name in _FILE]
            proof = _proof(proof, fields)
            writer.writerow((*fields, proof))


class _Text:
    """A binary stream that csv can write to."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it in UTF-8."""
        return int(self._stream.write(text.encode()))


def _take_in(settings: Settings, path: Path, *, loaded: bool) -> dict[str, int]:
    adjustments = _read_file(path)
    with connect(settings.olap, "adjustments") as connection:
        done = olap.call(
            connection,
            "SELECT etl.importar_ajustes(%s, %s)",
            (Json(adjustments), Json(olap.options(settings))),
        )
        connection.commit()
    if loaded:
        refresh_views(settings)
        views_refreshed()
    return {"taken": int(done["nuevos"]), "ledger": int(done["llevados"])}


def _proof(before: str, fields: Iterable[str]) -> str:
    """What tells that a line is as it was written, and that none before it is gone."""
    return hashlib.sha256("|".join((before, *fields)).encode()).hexdigest()[:16]


def _read_file(path: Path) -> list[dict[str, Any]]:
    found, proof = [], ""
    with read_rows(path, required=_FILE, optional=(_PROOF,)) as rows:
        for row in rows:
            found.append(_of(row))
            proof = _proof(proof, (row.text(name) for name in _FILE))
            # What an earlier version wrote has none.
            if _PROOF in rows.columns and row.text(_PROOF) != proof:
                raise line_error(
                    path,
                    row.line,
                    _(
                        "the adjustment is not as it was written, or one before it is gone: import "
                        "the file that `python -m pipeline adjustments --output` wrote, as it is"
                    ),
                )
    return found


def _of(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {name: row.moment(name, "UTC").isoformat() for name in _WINDOW}
    for name in _NUMBERS:
        text = row.text(name)
        if name in ("id_movimiento", "id_producto") or text:
            if not _WHOLE.fullmatch(text):
                raise row.error(name, _("must be a whole number"))
            found[name] = int(text)
    found["cantidad"] = str(row.decimal("cantidad"))
    return found


def _show(rows: list[dict[str, Any]]) -> None:
    if not rows:
        print(_("no adjustment was booked"))
        return
    print_table(
        [
            *(_("window"), _("date"), _("product"), _("code"), _("name"), _("branch")),
            *(_("quantity"), _("value"), _("undoes")),
        ],
        [
            [
                minute(row["hasta"].isoformat()),
                minute(row["fecha"].isoformat()),
                *(row[name] for name in ("id_producto", "codigo", "nombre")),
                row["sucursal"] or row["id_sucursal"],
                *(row[name] for name in ("cantidad", "valor", "deshace")),
            ]
            for row in rows
        ],
    )
