"""What is out of scope though nobody meant it: read in a full read, and put into words."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline import olap
from pipeline.base.database import connect
from pipeline.base.movement_names import NAMES
from pipeline.base.text_tables import print_table
from pipeline.olap.names import called
from pipeline.oltp.reads import rows_out_of_scope, types_out_of_scope
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg2.extensions import connection as Connection
    from psycopg2.sql import Composable

    from pipeline.oltp.queries import Query
    from pipeline.settings import Settings

_MOST_TYPES = 1000
_LISTED_BY_TYPE = 1000
_MOST_ROWS = 10_000
_LONGEST_TYPE = 30
_MOST_SHOWN = 20

_REASONS = {
    "antes de la fecha inicial": N_("before the initial date"),
    "antes de la apertura": N_("before its opening"),
}


def read_out_of_scope(
    settings: Settings,
    connection: Connection,
    movements: Query,
    since: datetime,
    horizon: int | None,
) -> dict[str, Any]:
    """What a full read leaves out, for its receipt: each type's count, and the rows of few.

    Of dates before `since` or an opening: what the OLAP lists already and what is newer than the
    `horizon`, where there is one to trust; what else lies there was there before. `ultimo` is
    the greatest number of all movements.
    """
    with connect(settings.olap, "scope", read_only=True) as analytical:
        known = olap.call(analytical, "SELECT etl.fechas_por_revisar()")
    opening = olap.moment(known["apertura"])
    until = max(since, opening) if opening else since
    counted = _rows(connection, types_out_of_scope(movements, _MOST_TYPES))
    types = [(name, count) for name, count, _ in counted if count]
    few = [name for name, count in types if count <= _LISTED_BY_TYPE]
    rows = rows_out_of_scope(movements, until, few, known["movimientos"], horizon, _MOST_ROWS)
    last = counted[0][2] if counted else None
    return {"tipos": types, "filas": _rows(connection, rows), "ultimo": last}


def _rows(connection: Connection, read: Composable) -> list[list[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(read)
        return [list(row) for row in cursor]


def meant(name: str | None) -> str | None:
    """The known type that a type differs from in case, blanks, hyphens or accents only."""
    plain = _letters(name or "")
    return next((known for known in NAMES if _letters(known) == plain and known != name), None)


def _letters(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if c.isalnum()).upper()


def shown(name: str | None) -> str:
    """A type as it is told: in quotes, so that its blanks are seen; shortened."""
    if name is None:
        return "NULL"
    cut = name if len(name) <= _LONGEST_TYPE else name[: _LONGEST_TYPE - 1] + "…"
    return repr(cut)


def for_machines(state: dict[str, Any]) -> dict[str, Any]:
    """What etl.resumir_fuera_de_alcance() gives, by the keys of --json."""
    return {
        "out_of_scope_types": [
            {"type": row["tipo"], "movements": int(row["movimientos"]), "meant": meant(row["tipo"])}
            for row in state["tipos"]
        ],
        "out_of_scope_dates": int(state["fechas"]),
        "out_of_scope_examples": state["ejemplos"],
    }


def type_words(rows: Iterable[dict[str, Any]]) -> list[str]:
    """A phrase a type, as `'venta': 12 movements; is VENTA meant?`."""
    phrases = []
    for row in rows:
        one = int(row["movimientos"]) == 1
        template = _("{type}: {movements} movement") if one else _("{type}: {movements} movements")
        phrase = template.format(type=shown(row["tipo"]), movements=row["movimientos"])
        guess = meant(row["tipo"])
        phrases.append(
            _("{phrase}; is {guess} meant?").format(phrase=phrase, guess=guess) if guess else phrase
        )
    return phrases


def show(listed: dict[str, Any]) -> None:
    """Print what for_machines() gives, if anything."""
    if listed["out_of_scope_types"]:
        print(_("\nout of scope by their type: not valued until it is corrected in the shop"))
        print_table(
            [_("type"), _("movements"), _("meant?")],
            [
                [shown(row["type"]), row["movements"], row["meant"]]
                for row in listed["out_of_scope_types"][:_MOST_SHOWN]
            ],
        )
    if listed["out_of_scope_dates"]:
        print(
            _("\nout of scope by their date: {out_of_scope_dates}, the latest first").format(
                out_of_scope_dates=listed["out_of_scope_dates"]
            )
        )
        print_table(
            [_("movement"), _("type"), _("product"), _("date"), _("which is")],
            [
                [
                    called(row),
                    row["tipo"],
                    row.get("clave_producto") or row["id_producto"],
                    day(row["fecha"]),
                    _reason(row),
                ]
                for row in listed["out_of_scope_examples"]
            ],
        )


def _reason(row: dict[str, Any]) -> str:
    reason = _REASONS[row["motivo"]]
    return _(reason)


def day(moment: str) -> str:
    """The day of a moment as the OLAP writes it."""
    return moment.split("T")[0]
