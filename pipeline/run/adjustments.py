"""What a load booked to make the stock the shop's own, in words and for machines.

`found` is what etl.resumir_ajustes() gives, or None.
"""

from __future__ import annotations

from typing import Any

from pipeline.base.text_tables import cell_text, print_table
from pipeline.run.differences import name_of, number
from pipeline.translation import translated as _


def for_machines(found: dict[str, Any] | None) -> dict[str, Any]:
    """How many, and more by the keys of --json."""
    if not found:
        return {"adjustments": 0}
    return {
        "adjustments": int(found["ajustes"]),
        "adjusted_products": int(found["productos"]),
        "adjusted_units": float(found["unidades"]),
        "adjusted_value": float(found["valor"]),
        "adjustments_undone": int(found["deshechos"]),
        "initial_stocks": int(found["iniciales"]),
        "dearest_adjustments": found["mayores"],
    }


def in_words(found: dict[str, Any]) -> str:
    """How many of how many products, their worth, and the dearest."""
    first = found["mayores"][0]
    said = _(
        "{adjustments} adjustments of {products} products, {units} units worth {value:,.2f}; the "
        "dearest {quantity} of {name}"
    ).format(
        adjustments=int(found["ajustes"]),
        products=int(found["productos"]),
        units=cell_text(number(found["unidades"])),
        value=found["valor"],
        quantity=cell_text(number(first["cantidad"])),
        name=name_of(first),
    )
    if found["deshechos"]:
        said += _("; {undone} of them undo earlier ones at their own time").format(
            undone=int(found["deshechos"])
        )
    return said


def show(found: dict[str, Any]) -> None:
    """Print them, the dearest first."""
    print(_("\nwould be booked as the shop's own stock: {what}").format(what=in_words(found)))
    print_table(
        [
            *(_("product"), _("code"), _("name"), _("branch"), _("quantity"), _("value")),
            *(_("date"), _("undoes")),
        ],
        [
            [
                row["clave"] or row["id_producto"],
                *(row[key] for key in ("codigo", "nombre")),
                row["sucursal"] or row["id_sucursal"],
                *(number(row[key]) for key in ("cantidad", "valor")),
                str(row["fecha"])[:16].replace("T", " "),
                _("yes") if row["deshace"] else None,
            ]
            for row in found["mayores"]
        ],
    )
