"""Show the last run, the pending window, the last closing, recent windows and what is wrong."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from pipeline import olap
from pipeline.base.movement_names import name_of
from pipeline.base.text_tables import paint, print_facts, print_table
from pipeline.commands.manual import Manual, add_all_shops, add_json, print_json
from pipeline.olap.names import read_names
from pipeline.run import corrections, differences, scope
from pipeline.run.due import find_pending
from pipeline.run.proof import minute
from pipeline.run.tax import UNSAID
from pipeline.settings import load_settings
from pipeline.settings.moments import in_zone
from pipeline.state.request import what_holds
from pipeline.state.window import windows_in
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.state.window import Window

_WINDOWS = 10
_HUELLA = 12  # characters of it, which tell it from others
# Of what etl.origenes_por_revisar() says.
_UNUSABLE = {
    "no está en el kardex": N_("not in the ledger"),
    "es de otro tipo": N_("of another type"),
    "es de otro producto": N_("of another product"),
    "es posterior": N_("later"),
}

MANUAL = Manual(
    does="Shows the last run, the window that is pending, the last closing and what was booked "
    "late since, the last windows with their counts and seconds, and what wants somebody's eye: "
    "rejects, stock that is not the shop's own, stock below zero, receipts at cost 0, "
    "receipts whose cost is far from the average, sales of which more came back than was sold, and "
    "movements whose id_origen is of no use.",
    reads="the OLAP and the state folder.",
    changes="nothing.",
    exits={0: "shown", 1: "a failure"},
    examples=("python -m pipeline status", "python -m pipeline status --json"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_json(parser)
    add_all_shops(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask the OLAP and the state folder, and show it."""
    settings = load_settings()
    control = olap.read_control(settings)
    state = olap.operation_state(settings, _WINDOWS)
    loaded = olap.loaded_windows(settings, windows_in(settings.state_dir))
    pending = find_pending(settings, control, loaded)
    if arguments.json:
        print_json(_for_machines(settings, state, pending))
    else:
        _show(settings, state, pending)
    return 0


def _for_machines(
    settings: Settings, state: dict[str, Any], pending: Window | None
) -> dict[str, Any]:
    # Numbers, where a Decimal would become a string.
    state = json.loads(json.dumps(state, default=float))
    return {
        "last_run": state["control"]["hasta"],
        "initial_date": state["control"]["desde_inicial"],
        "pending_window": None if pending is None else pending.label,
        "held": None if pending is None else what_holds(settings, pending),
        "deleted_looked_for": state["control"]["borradas_buscadas"],
        "verified": state["probada"],
        "verified_whole": state["probada_entera"],
        **_closing_for_machines(state["cierre"]),
        "windows": state["ventanas"],
        "rejects": state["rechazos"],
        **scope.for_machines(state["fuera_de_alcance"]),
        **differences.for_machines(state["diferencias"]),
        "stock_below_zero": state["bajo_cero"],
        "stock_below_zero_count": state["bajo_cero_total"],
        "free_receipts": state["gratis"],
        "cost_jumps": state["saltos"],
        "returned_beyond_sale": state["origenes"]["devueltas_de_mas"],
        "returned_beyond_sale_count": state["origenes"]["devueltas_de_mas_total"],
        "unusable_origins": state["origenes"]["sin_uso"],
        "unusable_origins_count": state["origenes"]["sin_uso_total"],
        "tax_rate_said": _tax_said(settings, state),
        "products": state["productos"],
        "stock_value": state["valor"],
    }


def _tax_said(settings: Settings, state: dict[str, Any]) -> bool:
    return bool(state["impuesto_dicho"]) or not settings.prices_include_tax


def _closing_for_machines(closing: dict[str, Any] | None) -> dict[str, Any]:
    if closing is None:
        return {"last_closing": None, "corrections": corrections.for_machines(None)}
    booked = corrections.for_machines(closing.pop("correcciones"))
    return {"last_closing": closing, "corrections": booked}


def _show(settings: Settings, state: dict[str, Any], pending: Window | None) -> None:
    _name(settings, state)
    control = state["control"]
    last = olap.last_run(control)
    initial = olap.initial_date(control)
    held = what_holds(settings, pending) if pending else None
    zone = settings.timezone
    print_facts(
        [
            (_("last run"), in_zone(last, zone) if last else _("none yet")),
            (_("initial date"), in_zone(initial, zone) if initial else _("fixed by the first run")),
            (_("pending"), pending.label if pending else _("none")),
            *([(_("held by"), paint(held, "red"))] if held else []),
            (
                _("products"),
                _("{productos}, stock worth {valor:,.2f}").format(
                    productos=state["productos"], valor=state["valor"]
                ),
            ),
            (
                _("verified"),
                _("{last}, without a fault; all of it {whole}").format(
                    last=minute(state["probada"]), whole=minute(state["probada_entera"])
                )
                if state["probada"]
                else _("never without a fault"),
            ),
            *([] if _tax_said(settings, state) else [(_("tax"), paint(_(UNSAID), "yellow"))]),
            *_closing_facts(state["cierre"]),
            (_("deleted in the shop"), _deleted(state, zone)),
            *differences.facts(state["diferencias"]),
            (_("state folder"), settings.state_dir),
        ]
    )
    if state["ventanas"]:
        print()
        print_table(
            [
                _("window up to"),
                _("read"),
                _("new"),
                _("changed"),
                _("removed"),
                _("rejected"),
                _("revalued"),
                _("extract s"),
                _("load s"),
                _("views s"),
            ],
            [_window_row(row, zone) for row in state["ventanas"]],
        )
    _show_lists(state)


def _deleted(state: dict[str, Any], zone: str) -> str:
    """What left the ledger because the OLTP has it no more, and when that was looked for."""
    looked = olap.moment(state["control"]["borradas_buscadas"])
    when = in_zone(looked, zone) if looked else _("never")
    gone = [row for row in state["ventanas"] if row["borradas"] > row["reescritas"]]
    if not gone:
        return _("none lately; looked for up to {when}").format(when=when)
    return _("{movements} movements lately; looked for up to {when}").format(
        movements=sum(row["borradas"] - row["reescritas"] for row in gone), when=when
    )


def _closing_facts(closing: dict[str, Any] | None) -> list[tuple[str, str]]:
    if closing is None:
        return []
    said = _("{day}, value {value:,.2f}, huella {huella}…").format(
        day=closing["dia"], value=closing["valor"], huella=closing["huella"][:_HUELLA]
    )
    booked = corrections.in_words(corrections.for_machines(closing["correcciones"]))
    return [(_("closed up to"), said), (_("booked late since"), booked)]


def _window_row(row: dict[str, Any], zone: str) -> list[Any]:
    hasta = olap.moment(row["hasta"])
    assert hasta is not None
    return [
        in_zone(hasta, zone),
        *(
            row[name]
            for name in (
                "filas_leidas",
                "nuevas",
                "cambiadas",
                "retiradas",
                "rechazadas",
                "revaluadas",
            )
        ),
        *(
            None if row[name] is None else float(row[name])
            for name in ("segundos_extraccion", "segundos_carga", "segundos_vistas")
        ),
    ]


def _show_lists(state: dict[str, Any]) -> None:
    if state["rechazos"]:
        print(_("\nrejected, waiting to become valid"))
        print_table([_("reason"), _("movements")], sorted(state["rechazos"].items()))
    scope.show(scope.for_machines(state["fuera_de_alcance"]))
    differences.show(state["diferencias"])
    if state["bajo_cero"]:
        print(
            _("\nstock below zero: {bajo_cero_total} products, the lowest first").format(
                bajo_cero_total=state["bajo_cero_total"]
            )
        )
        print_table(
            [_("product"), _("code"), _("name"), _("stock"), _("average cost")],
            _cells(
                state["bajo_cero"],
                *("id_producto", "codigo", "nombre", "existencias", "costo_promedio"),
            ),
        )
    _show_receipts(state)
    _show_origins(state["origenes"])


def _name(settings: Settings, state: dict[str, Any]) -> None:
    """Let the rows of the lists say what the shop says, instead of the OLAP's numbers."""
    origins = state["origenes"]
    lists = (state["gratis"], state["saltos"], origins["devueltas_de_mas"], origins["sin_uso"])
    rows = [row for rows in lists for row in rows]
    numbers = [row[key] for row in rows for key in ("id_movimiento", "id_origen") if key in row]
    listed = [*rows, *state["bajo_cero"], *state["diferencias"]["mayores"]]
    names = read_names(settings, numbers, (row["id_producto"] for row in listed))
    for row in rows:
        for key in ("id_movimiento", "id_origen"):
            row[key] = names.movement(row.get(key))
    for row in listed:
        row["id_producto"] = names.product(row["id_producto"])


def _cells(rows: list[dict[str, Any]], *keys: str) -> list[list[Any]]:
    return [[row[key] for key in keys] for row in rows]


def _show_receipts(state: dict[str, Any]) -> None:
    if state["gratis"]:
        print(_("\nreceipts at cost 0, the latest first: they lower the average"))
        print_table(
            [_("movement"), _("product"), _("name"), _("date"), _("quantity")],
            _cells(
                state["gratis"], *("id_movimiento", "id_producto", "nombre", "fecha", "cantidad")
            ),
        )
    if state["saltos"]:
        print(_("\nreceipts whose cost is far from the average, the latest first: typing errors?"))
        print_table(
            [
                *(_("movement"), _("product"), _("name"), _("date")),
                *(_("unit cost"), _("times the average")),
            ],
            _cells(
                state["saltos"],
                *("id_movimiento", "id_producto", "nombre", "fecha"),
                *("costo_unitario", "salto_costo"),
            ),
        )


def _show_origins(found: dict[str, Any]) -> None:
    if found["devueltas_de_mas"]:
        print(
            _("\nsales of which more came back than was sold: {total}, the latest first").format(
                total=found["devueltas_de_mas_total"]
            )
        )
        print_table(
            [_("movement"), _("product"), _("date"), _("sold"), _("came back")],
            _cells(
                found["devueltas_de_mas"],
                *("id_movimiento", "id_producto", "fecha", "cantidad", "devuelta"),
            ),
        )
    if found["sin_uso"]:
        print(
            _(
                "\nvalued without their id_origen, which is of no use: {total}, the latest first"
            ).format(total=found["sin_uso_total"])
        )
        print_table(
            [_("movement"), _("type"), _("product"), _("date"), "id_origen", _("which is")],
            [
                [
                    row["id_movimiento"],
                    name_of(row["tipo"], _),
                    *(row[key] for key in ("id_producto", "fecha", "id_origen")),
                    _why(row),
                ]
                for row in found["sin_uso"]
            ],
        )


def _why(row: dict[str, Any]) -> str:
    reason = _UNUSABLE[row["motivo"]]
    return _(reason)
