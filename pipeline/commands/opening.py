"""Set or correct the opening balances that products are valued from."""

from __future__ import annotations

import argparse
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg2.extras import Json

from pipeline import olap
from pipeline.base.csv_rows import AMOUNT_LIMIT, Row, read_rows, rounded
from pipeline.base.database import connect
from pipeline.base.text_lines import line_error
from pipeline.commands.manual import Manual, add_json, print_json
from pipeline.oltp.queries import load_query
from pipeline.oltp.reads import everything
from pipeline.run.refresh import refresh_views
from pipeline.settings import load_settings
from pipeline.telling.after_run import views_refreshed
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.oltp.queries import Query
    from pipeline.settings import Settings

MANUAL = Manual(
    does="Sets or corrects the opening balances that products are valued from, before or after "
    "the first run, and values those products anew. Movements before the date of the count do "
    "not count for its product; where that would take some out of the ledger, --drop-earlier is "
    "needed.",
    reads="the file, the OLTP's products, and the OLAP.",
    changes="the OLAP's openings, ledger, stock and summaries, in one transaction; then the views.",
    exits={0: "set", 1: "a line that is not as it must be, or a failure; nothing was changed"},
    examples=(
        "python -m pipeline opening conteo.csv",
        "python -m pipeline opening conteo.csv --drop-earlier",
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "file",
        metavar="F",
        type=Path,
        help="CSV (also .gz) with id_producto or codigo, existencias, costo_promedio, and if "
        "there is any fecha: the date that the count holds at, by default the initial date; "
        "id_sucursal, with a line a branch: where the stock is",
    )
    parser.add_argument(
        "--drop-earlier",
        action="store_true",
        help="let movements that are dated before the opening leave the ledger",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check every line, then set all of them in one transaction and revalue. Returns 0.

    Raises InputError for the first line that is not as it must be, or when movements
    would leave the ledger without --drop-earlier; nothing is changed then.
    """
    settings = load_settings()
    control = olap.read_control(settings)
    openings = _read_openings(arguments.file, settings)
    done = _apply(settings, openings, arguments.drop_earlier)
    first = olap.last_run(control) is None
    views: list[dict[str, Any]] = []
    if not first:
        views = refresh_views(settings)
        views_refreshed()
    # Before the first window there is nothing to value again, and it is not counted.
    report = {
        "set": done["aplicadas"],
        **_early(openings, olap.initial_date(control)),
        "waits_for_first_run": first,
        "products_valued_again": done.get("productos_tocados", 0),
        "movements_changed": done.get("revaluadas", 0),
        "movements_left": done.get("quitadas", 0),
        "next_run_reads_everything": done.get("releer", False),
        "views_not_refreshed": {view["view"]: view["error"] for view in views if view["error"]},
    }
    if arguments.json:
        print_json(report)
    else:
        _show(report)
    return 0


def _apply(
    settings: Settings, openings: list[dict[str, Any]], drop_earlier: bool
) -> dict[str, Any]:
    with connect(settings.olap, "opening") as connection:
        done = olap.call(
            connection,
            "SELECT etl.aplicar_aperturas(%s, %s, %s)",
            (Json(openings), Json(olap.options(settings)), drop_earlier),
        )
        connection.commit()
    return dict(done)


def _early(openings: list[dict[str, Any]], initial: datetime | None) -> dict[str, Any]:
    """A count that is older than the scope: what was sold in between is missing from it."""
    early = [
        opening["clave"] or opening["id_producto"]
        for opening in openings
        if initial and opening["fecha"] and datetime.fromisoformat(opening["fecha"]) < initial
    ]
    return {"before_scope": early, "scope_begins": initial and initial.isoformat()}


def _show(report: dict[str, Any]) -> None:
    print(_("{set} opening balances set").format(set=report["set"]))
    if early := report["before_scope"]:
        print(
            _(
                "{early} of them are dated before {scope_begins}, from which movements are "
                "loaded (product {early_2}, …): what happened in between does not count; "
                "`luigi --module pipeline Backfill --since DATE` brings it in"
            ).format(early=len(early), scope_begins=report["scope_begins"], early_2=early[0])
        )
    if report["waits_for_first_run"]:
        print(_("the first run will value from them"))
        return
    print(
        _(
            "{products_valued_again} products valued again: {movements_changed} movements "
            "changed, {movements_left} left the ledger"
        ).format(
            products_valued_again=report["products_valued_again"],
            movements_changed=report["movements_changed"],
            movements_left=report["movements_left"],
        )
    )
    if report["next_run_reads_everything"]:
        print(_("an opening moved to an earlier date: the next run reads everything again"))
    for view, error in report["views_not_refreshed"].items():
        print(_("{view} was not refreshed: {error}").format(view=view, error=error))


class Ids(NamedTuple):
    """The shop's ids, as text, with the number of each; `worded` says that they are no numbers."""

    numbers: dict[str, int]
    worded: bool

    def find(self, row: Row, column: str) -> int | None:
        """The number of the id in a line; None if the shop has none such."""
        if self.worded:
            return self.numbers.get(row.text(column))
        return self.numbers.get(str(row.integer(column, any_sign=True)))


def _read_openings(path: Path, settings: Settings) -> list[dict[str, Any]]:
    openings: dict[int, dict[str, Any]] = {}
    lines: dict[tuple[int, int], int] = {}
    with read_rows(
        path,
        required=(("id_producto", "codigo"), "existencias", "costo_promedio"),
        optional=("fecha", "id_sucursal"),
    ) as rows:
        known, by_code = _catalogue(settings)
        branches = _branches(settings) if "id_sucursal" in rows.columns else Ids({}, False)
        for row in rows:
            product = _product(row, known, by_code) or _forgotten(row, settings, known.worded)
            branch = _branch(row, branches)
            if (product, branch) in lines:
                raise line_error(
                    path,
                    row.line,
                    _("product {product} was given already in line {lines}").format(
                        product=row.text("codigo") or row.text("id_producto"),
                        lines=lines[product, branch],
                    ),
                )
            lines[product, branch] = row.line
            read: dict[str, Any] = {
                "id_producto": product,
                "clave": row.text("id_producto") if known.worded else None,
                "costo_promedio": str(rounded(row.decimal("costo_promedio", minimum=0))),
                "fecha": _date(row, settings),
                "sucursales": {},
            }
            opening = openings.setdefault(product, read)
            for column in ("costo_promedio", "fecha"):
                if opening[column] != read[column]:
                    raise row.error(column, _("must be what it is in the product's other branch"))
            opening["sucursales"][branch] = str(row.decimal("existencias", minimum=0))
            if sum(map(_kept, opening["sucursales"].values())) >= AMOUNT_LIMIT:
                raise row.error("existencias", _("must not make the product's sum so large"))
    return list(openings.values())


def _kept(quantity: str) -> Decimal:
    return rounded(Decimal(quantity))


def _branch(row: Row, known: Ids) -> int:
    """Where a line's stock is; 0 is no branch, as in the ledger."""
    if row.text("id_sucursal") in ("", "0"):
        return 0
    branch = known.find(row, "id_sucursal")
    if branch is None:
        raise row.error("id_sucursal", _("must be a branch of the OLTP, or empty"))
    return branch


def _branches(settings: Settings) -> Ids:
    """The branches that sucursales.sql yields."""
    with connect(settings.oltp, "opening", read_only=True) as connection:
        query = load_query(connection, settings, "sucursales")
        with connection.cursor() as cursor:
            cursor.execute(everything(query, None))
            return _ids(query, cursor.fetchall())


def _date(row: Row, settings: Settings) -> str | None:
    """The date that the count holds at; a count that is still to come is none."""
    if not row.text("fecha"):
        return None
    moment = row.moment("fecha", settings.timezone)
    if moment > datetime.now(UTC):
        raise row.error("fecha", _("must not be in the future"))
    return moment.isoformat()


def _forgotten(row: Row, settings: Settings, worded: bool) -> int:
    """A product that the OLTP has no more and the OLAP still knows: it may be set to 0.

    So is the opening of one that was merged into another, which else would stay for ever.
    """
    column = "id_producto" if row.text("id_producto") else "codigo"
    named, product = row.text(column), None
    if column == "id_producto" and not worded:
        product = row.integer(column, any_sign=True)
    with (
        connect(settings.olap, "opening", read_only=True) as connection,
        connection.cursor() as cursor,
    ):
        code = named if worded else row.text("codigo")
        cursor.execute("SELECT * FROM etl.buscar_producto(%s, %s)", (product, code))
        found = [
            known
            for known, *_rest, own in cursor
            if own == named or column == "codigo" or known == product
        ]
    if len(found) == 1 and row.decimal("existencias", minimum=0) == 0:
        return int(found[0])
    if found:
        raise row.error("existencias", _("must be 0: the OLTP has this product no more"))
    what = _("a product") if column == "id_producto" else _("the code of a product")
    raise row.error(column, _("must be {what} of the OLTP").format(what=what))


def _product(row: Row, known: Ids, by_code: dict[str, list[int]]) -> int | None:
    """The product of a line; None if the OLTP has none of that id or code."""
    if row.text("id_producto"):
        product = known.find(row, "id_producto")
        if product is None:
            return None
        if row.text("codigo") and product not in _with_code(by_code, row.text("codigo")):
            raise row.error(
                "codigo",
                _("must be that of product {product}, or empty").format(
                    product=row.text("id_producto")
                ),
            )
        return product
    matches = _with_code(by_code, row.required_text("codigo"))
    if not matches:
        return None
    if len(matches) > 1:
        raise row.error(
            "codigo",
            _("must be the code of one product, not of {matches}").format(matches=len(matches)),
        )
    return matches[0]


def _with_code(by_code: dict[str, list[int]], code: str) -> list[int]:
    """The products of that code or, where none has it, of those that differ in case alone."""
    return by_code.get(code) or by_code.get(_folded(code), [])


def _folded(code: str) -> str:
    # No code is so, since a line break ends one.
    return f"\n{code.casefold()}"


def _catalogue(settings: Settings) -> tuple[Ids, dict[str, list[int]]]:
    """The products by id and by code, for _with_code(), as productos.sql yields them."""
    by_code: dict[str, list[int]] = defaultdict(list)
    with connect(settings.oltp, "opening", read_only=True) as connection:
        query = load_query(connection, settings, "productos")
        with connection.cursor() as cursor:
            cursor.execute(everything(query, None))
            rows = cursor.fetchall()
    for product, code, *_rest in rows:
        if code:
            by_code[code.strip()].append(product)
            by_code[_folded(code.strip())].append(product)
    return _ids(query, rows), by_code


def _ids(query: Query, rows: list[Any]) -> Ids:
    """The ids of what a query yields, of which the shop's own is the last column."""
    if query.id_column in query.own:
        return Ids({own: number for number, *_rest, own in rows}, True)
    return Ids({str(number): number for number, *_rest in rows}, False)
